-- table_constraint: whether a table has a constraint.
-- $1 schema  $2 table  $3 constraint
-- returns: a row if so
select
  from pg_constraint k
  join pg_class c on c.oid = k.conrelid
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2 and k.conname = $3
