-- refetch: rows to bring from the source anew, and tables that changed since their last proof.
--
-- refetch  rows that an UPDATE should have found, and whose columns it did not all bring. Written
--          in the transaction that missed them, removed in the one that brings them, or by a later
--          proof that the table is equal. digest: of columns and key, which may be longer than an
--          index takes. id: a new one each time that the row is missed
-- table_state.suspicion, suspected_at   what a change found that must not be, since the last proof;
--                                       null: nothing
-- table_state.proven_shape  columns, files and partitions on the source at the last proof

create table repld.refetch (
  id          bigint generated always as identity,
  link        text not null,
  schema_name text not null,
  table_name  text not null,
  columns     text[] not null,        -- that identify the row
  key         text[] not null,        -- their values, as the source prints them
  digest      bytea not null,
  at          timestamptz not null default clock_timestamp(),
  primary key (link, schema_name, table_name, digest)
);
alter table repld.table_state
  add column suspicion text,
  add column suspected_at timestamptz,
  add column proven_shape text;
