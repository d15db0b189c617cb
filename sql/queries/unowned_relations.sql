-- unowned_relations: what a link has to alter on the target and may not, since it is not ours: a table,
-- its partitions, and tables with foreign keys to any of them, which are set aside.
-- $1 schema  $2 name
-- returns: schema, name, foreign key (null: it is the table or a partition)
with recursive tree as (
  select c.oid
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = $2
  union all
  select i.inhrelid
    from tree t
    join pg_class p on p.oid = t.oid and p.relkind = 'p'
    join pg_inherits i on i.inhparent = t.oid
), touched as (
  select t.oid, null as foreign_key from tree t
  union all
  select k.conrelid, k.conname
    from tree t join pg_constraint k on k.confrelid = t.oid
   where k.contype = 'f' and k.conparentid = 0 and k.conrelid not in (select oid from tree)
)
select n.nspname, c.relname, t.foreign_key
  from touched t
  join pg_class c on c.oid = t.oid
  join pg_namespace n on n.oid = c.relnamespace
 where not pg_has_role(c.relowner, 'usage')
 order by n.nspname, c.relname, t.foreign_key
