-- replica_relations: a table and all partitions below it.
-- $1 schema  $2 name
-- returns: oid, schema, name, relkind; the root first
with recursive tree as (
  select c.oid, 0 as depth
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = $2
  union all
  select i.inhrelid, t.depth + 1
    from tree t
    join pg_class p on p.oid = t.oid and p.relkind = 'p'
    join pg_inherits i on i.inhparent = t.oid
)
select c.oid::bigint, n.nspname, c.relname, c.relkind::text
  from tree t
  join pg_class c on c.oid = t.oid
  join pg_namespace n on n.oid = c.relnamespace
 order by t.depth, n.nspname, c.relname
