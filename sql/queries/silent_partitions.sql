-- silent_partitions: of some tables, what is in no WAL: unlogged and foreign partitions, and a table
-- that was made unlogged itself.
-- $1 tables (oid[])
-- returns: schema.name
with recursive tree as (
  select o as node from unnest($1::oid[]) o
  union
  select i.inhrelid
    from tree t
    join pg_class p on p.oid = t.node and p.relkind = 'p'
    join pg_inherits i on i.inhparent = t.node
)
select format('%s.%s', n.nspname, c.relname)
  from tree t
  join pg_class c on c.oid = t.node
  join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'f' or (c.relkind = 'r' and c.relpersistence <> 'p')
 order by 1
