-- partition_key: what a partitioned table is divided by, as DDL writes it.
-- $1 schema  $2 name
-- returns: key, has a default partition; no row when there is no such partitioned table
select pg_get_partkeydef(c.oid),
       exists (select from pg_partitioned_table t where t.partrelid = c.oid and t.partdefid <> 0)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2 and c.relkind = 'p'
