-- source_tables: every ordinary and partitioned table that could be replicated, a row per leaf
-- (a plain table is its own leaf). Partitions appear under their root only; tables that belong to
-- an extension come with CREATE EXTENSION and are left out, as are unlogged and temporary ones; an
-- unlogged or foreign leaf of a permanent root is listed, as one that does not stream.
--
-- An identity is usable when publishing the leaf leaves its UPDATE and DELETE possible. From version
-- 18 on they fail where it has a generated column, which FULL means of any column.
-- $1 whether sizes are measured: that waits for who has locked a table as a whole. Otherwise they are
--    what the last VACUUM or ANALYZE saw
-- returns: root oid, schema, name, partitioned, owned, columns (text[] as json), leaf oid, leaf schema,
--          leaf name, leaf pages, leaf bytes with TOAST, leaf identity is usable, root has a primary
--          key, generated columns (text[] as json), leaf streams, FULL would be a usable identity of
--          the leaf, we may read the leaf, types of all columns (json array of
--          [column, oid, modifier])
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
       l.oid::bigint, ln.nspname, l.relname, case when $1 then coalesce(pg_relation_size(l.oid) / 8192, 0) else l.relpages end,
       case when $1 then coalesce(pg_table_size(l.oid), 0) else l.relpages::bigint * 8192 end,
       case l.relreplident
         when 'f' then g.strict is null
         when 'd' then exists (select from pg_index x
                                where x.indrelid = l.oid and x.indisprimary and x.indimmediate
                                  and not x.indkey::int2[] && coalesce(g.strict, '{}'))
         when 'i' then exists (select from pg_index x
                                where x.indrelid = l.oid and x.indisreplident and x.indisvalid
                                  and not x.indkey::int2[] && coalesce(g.strict, '{}'))
         else false
       end,
       exists (select from pg_index x
                where x.indrelid = r.oid and x.indisprimary and x.indimmediate),
       (select json_agg(a.attname order by a.attnum)
          from pg_attribute a
         where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> ''),
       l.relkind = 'r' and l.relpersistence = 'p', g.strict is null,
       has_table_privilege(l.oid, 'select'),
       (select json_agg(json_build_array(a.attname, a.atttypid::bigint, a.atttypmod))
          from pg_attribute a
         where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped)
  from tree t
  join pg_class l on l.oid = t.node
  join pg_namespace ln on ln.oid = l.relnamespace
  join pg_class r on r.oid = t.root
  join pg_namespace rn on rn.oid = r.relnamespace
  left join lateral (
    select array_agg(a.attnum) as strict
      from pg_attribute a
     where a.attrelid = l.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> ''
       and current_setting('server_version_num')::int >= 180000) g on true
 where l.relkind in ('r', 'f') or (l.relkind = 'p' and l.oid = r.oid)
 order by rn.nspname, r.relname, ln.nspname, l.relname
