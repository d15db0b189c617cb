-- partition_root: the topmost table above a partition, or the relation itself.
-- $1 oid
-- returns: schema, name; no row when the relation is gone
select n.nspname, c.relname
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.oid = coalesce(pg_partition_root($1::oid)::oid, $1::oid)
