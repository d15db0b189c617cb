-- partition_ancestry: a partition with those above it, the topmost table left out, from the top down,
-- as DDL writes them.
-- $1 oid
-- returns: schema, name, parent's schema, parent's name, bounds, parent's key, own key (null for a
--          leaf); no row when it is no partition or gone
select n.nspname, c.relname, pn.nspname, p.relname, pg_get_expr(c.relpartbound, c.oid),
       pg_get_partkeydef(p.oid), case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end
  from pg_partition_ancestors($1::oid::regclass) with ordinality a(relid, level)
  join pg_class c on c.oid = a.relid and c.relispartition
  join pg_namespace n on n.oid = c.relnamespace
  join pg_inherits i on i.inhrelid = c.oid
  join pg_class p on p.oid = i.inhparent
  join pg_namespace pn on pn.oid = p.relnamespace
 order by a.level desc
