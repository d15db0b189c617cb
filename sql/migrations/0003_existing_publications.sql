-- existing_publications: what a link must know that streams through publications of others.
--
-- progress.publications   their names (json array); null: the link has a publication of its own
-- progress.slot_maker     backend of the source that was told to make the slot (pid/start): one that
--                         outlives its client is known by it
-- table_state.published   what they gave of the table when it was set up, per leaf: columns, row
--                         filter, operations, and the entries in the catalogs by which they do

alter table repld.progress
  add column publications jsonb,
  add column slot_maker text;
alter table repld.table_state add column published jsonb;
