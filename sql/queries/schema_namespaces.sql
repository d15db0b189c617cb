-- schema_namespaces: users' schemas and what we may do in them.
-- returns: name, owner, usage, create
select n.nspname, pg_get_userbyid(n.nspowner), has_schema_privilege(n.oid, 'usage'),
       has_schema_privilege(n.oid, 'create')
  from pg_namespace n
 where n.nspname not like 'pg\_%' and n.nspname <> 'information_schema'
 order by n.nspname
