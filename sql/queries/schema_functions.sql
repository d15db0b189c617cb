-- schema_functions: users' functions and procedures, without those of extensions.
-- returns: schema, name, signature, language, definition
select n.nspname, p.proname, format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)),
       l.lanname, pg_get_functiondef(p.oid)
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang
 where p.prokind in ('f', 'p') and n.nspname not like 'pg\_%'
   and n.nspname not in ('information_schema', 'repld')
   and not exists (select from pg_depend d
                    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
 order by p.oid
