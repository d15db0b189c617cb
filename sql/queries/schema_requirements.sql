-- schema_requirements: what tables need to exist: types, functions, extensions, in columns, defaults,
-- constraints, indexes and triggers, and what those need in turn.
-- $1 oids
-- returns: kind (type, function, other), schema, name (of a function: its signature), extension that it
--          belongs to, schema of that extension
with recursive needed(classid, objid) as (
  select 'pg_class'::regclass::oid, c.oid from pg_class c where c.oid = any ($1::oid[])
  union
  select 'pg_class'::regclass::oid, x.indexrelid from pg_index x where x.indrelid = any ($1::oid[])
  union
  select 'pg_attrdef'::regclass::oid, f.oid from pg_attrdef f where f.adrelid = any ($1::oid[])
  union
  select 'pg_constraint'::regclass::oid, k.oid from pg_constraint k where k.conrelid = any ($1::oid[])
  union
  select 'pg_trigger'::regclass::oid, t.oid from pg_trigger t
   where t.tgrelid = any ($1::oid[]) and not t.tgisinternal
  union
  (with step as (select * from needed)
   select d.refclassid, d.refobjid
     from step s join pg_depend d on d.classid = s.classid and d.objid = s.objid
    where d.deptype in ('n', 'a', 'i')
      and d.refclassid in ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_opclass'::regclass,
                           'pg_operator'::regclass, 'pg_collation'::regclass)
   union
   select 'pg_constraint'::regclass::oid, k.oid
     from step s join pg_constraint k on k.contypid = s.objid
    where s.classid = 'pg_type'::regclass
   union
   select 'pg_class'::regclass::oid, y.typrelid
     from step s join pg_type y on y.oid = s.objid
    where s.classid = 'pg_type'::regclass and y.typtype = 'c')
)
select distinct case n.classid when 'pg_type'::regclass then 'type' when 'pg_proc'::regclass then 'function'
                               else 'other' end,
       coalesce(tn.nspname, pn.nspname, ''),
       coalesce(t.typname,
                format('%I.%I(%s)', pn.nspname, p.proname, oidvectortypes(p.proargtypes)), ''),
       e.extname, en.nspname
  from needed n
  left join pg_type t on n.classid = 'pg_type'::regclass and t.oid = n.objid
  left join pg_namespace tn on tn.oid = t.typnamespace
  left join pg_proc p on n.classid = 'pg_proc'::regclass and p.oid = n.objid
  left join pg_namespace pn on pn.oid = p.pronamespace
  left join pg_depend m on m.classid = n.classid and m.objid = n.objid and m.deptype = 'e'
  left join pg_extension e on e.oid = m.refobjid
  left join pg_namespace en on en.oid = e.extnamespace
 where t.oid is not null or p.oid is not null or e.oid is not null
 order by 1, 2, 3
