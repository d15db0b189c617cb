-- schema_tables: every table that is the user's own, partitions included; parents before children.
-- returns: oid, schema, name, root schema, root name, relkind, relpersistence, owner, owned, partition
--          key, parent schema, parent name, bounds, inherited tables (json [[schema, name]]), RLS enabled,
--          RLS forced, RLS hides rows from us, index that was made the replica identity, index that could
--          be it, roles with grants (json), owner is a superuser, we may make ourselves its member, we
--          are its member in whatever way, owner may log in
with recursive depth as (
  select c.oid, 0 as level
    from pg_class c
   where c.relkind in ('r', 'p') and not exists (select from pg_inherits i where i.inhrelid = c.oid)
  union all
  select i.inhrelid, d.level + 1 from depth d join pg_inherits i on i.inhparent = d.oid
)
select c.oid::bigint, n.nspname, c.relname, rn.nspname, r.relname, c.relkind::text,
       c.relpersistence::text, pg_get_userbyid(c.relowner), pg_has_role(c.relowner, 'usage'),
       case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end,
       pn.nspname, p.relname, pg_get_expr(c.relpartbound, c.oid),
       (select json_agg(json_build_array(bn.nspname, b.relname) order by i.inhseqno)
          from pg_inherits i join pg_class b on b.oid = i.inhparent
          join pg_namespace bn on bn.oid = b.relnamespace
         where i.inhrelid = c.oid and not c.relispartition),
       c.relrowsecurity, c.relforcerowsecurity, row_security_active(c.oid),
       (select xc.relname from pg_index x join pg_class xc on xc.oid = x.indexrelid
         where x.indrelid = c.oid and x.indisreplident and c.relreplident = 'i'),
       (select xc.relname from pg_index x join pg_class xc on xc.oid = x.indexrelid
         where x.indrelid = c.oid and x.indisunique and x.indimmediate and x.indisvalid
           and x.indpred is null and x.indexprs is null
           and not exists (select from pg_attribute a where a.attrelid = c.oid and not a.attnotnull
                              and a.attnum = any (x.indkey::int2[]))
           and not exists (select from pg_attribute a where a.attrelid = c.oid
                              and a.attgenerated <> '' and a.attnum = any (x.indkey::int2[])
                              and current_setting('server_version_num')::int >= 180000)
         order by x.indisprimary desc, x.indexrelid limit 1),
       (select json_agg(distinct pg_get_userbyid(g.grantee)) from aclexplode(c.relacl) g
         where g.grantee not in (0, c.relowner)),
       o.rolsuper, me.rolsuper or pg_has_role(me.oid, o.oid, 'member with admin option')
         or (me.rolcreaterole and not o.rolsuper
             and current_setting('server_version_num')::int < 160000),
       pg_has_role(o.oid, 'member'), o.rolcanlogin
  from pg_class c
  join pg_roles o on o.oid = c.relowner
  join pg_roles me on me.rolname = current_user
  join (select oid, max(level) as level from depth group by oid) d on d.oid = c.oid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_class r on r.oid = coalesce(case when c.relispartition then pg_partition_root(c.oid) end, c.oid)
  join pg_namespace rn on rn.oid = r.relnamespace
  left join pg_inherits h on h.inhrelid = c.oid and c.relispartition
  left join pg_class p on p.oid = h.inhparent
  left join pg_namespace pn on pn.oid = p.relnamespace
 where c.relpersistence <> 't' and n.nspname not in ('information_schema', 'repld')
   and n.nspname not like 'pg\_%'
   and not exists (select from pg_depend e
                    where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
 order by d.level, n.nspname, c.relname
