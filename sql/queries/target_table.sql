-- target_table: what kind of relation a name is on the target.
-- $1 schema  $2 name
-- returns: oid, relkind, root schema, root name, owned
select c.oid::bigint, c.relkind::text, rn.nspname, r.relname, pg_has_role(c.relowner, 'usage')
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_class r on r.oid = coalesce(case when c.relispartition then pg_partition_root(c.oid) end, c.oid)
  join pg_namespace rn on rn.oid = r.relnamespace
 where n.nspname = $1 and c.relname = $2
