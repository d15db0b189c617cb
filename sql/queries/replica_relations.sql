-- replica_relations: tables and all partitions below them.
-- $1 schemas  $2 names: arrays, parallel
-- returns: their oids, an array
with recursive tree as (
  select c.oid
    from unnest($1::text[], $2::text[]) root(schema_name, table_name)
    join pg_namespace n on n.nspname = root.schema_name
    join pg_class c on c.relnamespace = n.oid and c.relname = root.table_name
  union
  select i.inhrelid
    from tree t
    join pg_class p on p.oid = t.oid and p.relkind = 'p'
    join pg_inherits i on i.inhparent = t.oid
)
select array_agg(oid) from tree
