-- ownership: what a link must know to tell its own from what others made or filled.
--
-- found_empty        the table was proven empty, under lock and in the transaction that put the
--                    guard on it, before the copy: all it holds is ours to throw away
-- source_oid, publication_entry   the table on the source, and its row in pg_publication_rel: one
--                    that left the publication and came back has another. Null in links set up
--                    before this migration, which go by the name.

alter table repld.table_state
  add column found_empty boolean not null default false,
  add column source_oid oid,
  add column publication_entry oid;
