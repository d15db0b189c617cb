-- partition_bound: the parent of a partition, its bounds and the parent's key, as DDL writes them.
-- $1 oid
-- returns: parent schema, parent name, bounds, key; no row when it is no partition or gone
select n.nspname, p.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(p.oid)
  from pg_class c
  join pg_inherits i on i.inhrelid = c.oid
  join pg_class p on p.oid = i.inhparent
  join pg_namespace n on n.oid = p.relnamespace
 where c.oid = $1::oid and c.relispartition
