-- source_tables: every ordinary and partitioned table that could be replicated, a row per leaf
-- (a plain table is its own leaf). Partitions appear under their root only; tables that belong to
-- an extension come with CREATE EXTENSION and are left out, as are unlogged and temporary ones.
-- returns: root oid, schema, name, partitioned, owned, columns (text[] as json), leaf oid, leaf schema,
--          leaf name, leaf pages, leaf bytes with TOAST, leaf identity is usable
with recursive tree as (
  select c.oid as root, c.oid as node
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
     and n.nspname not in ('information_schema', 'repld') and n.nspname not like 'pg\_%'
     and not exists (select from pg_depend d
                      where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  union all
  select t.root, i.inhrelid
    from tree t
    join pg_class p on p.oid = t.node and p.relkind = 'p'
    join pg_inherits i on i.inhparent = t.node
)
select r.oid::bigint, rn.nspname, r.relname, r.relkind = 'p', pg_has_role(r.relowner, 'usage'),
       (select json_agg(a.attname order by a.attnum)
          from pg_attribute a
         where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''),
       l.oid::bigint, ln.nspname, l.relname, pg_relation_size(l.oid) / 8192, pg_table_size(l.oid),
       case l.relreplident
         when 'f' then true
         when 'd' then exists (select from pg_index x
                                where x.indrelid = l.oid and x.indisprimary and x.indimmediate)
         when 'i' then exists (select from pg_index x
                                where x.indrelid = l.oid and x.indisreplident and x.indisvalid)
         else false
       end
  from tree t
  join pg_class l on l.oid = t.node
  join pg_namespace ln on ln.oid = l.relnamespace
  join pg_class r on r.oid = t.root
  join pg_namespace rn on rn.oid = r.relnamespace
 where l.relkind = 'r' or (l.relkind = 'p' and l.oid = r.oid)
 order by rn.nspname, r.relname, ln.nspname, l.relname
