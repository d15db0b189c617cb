-- schema_extensions: extensions that are installed or could be.
-- returns: name, schema (null: not installed), any owner of a database may create it
select a.name, n.nspname,
       exists (select from pg_available_extension_versions v
                where v.name = a.name and v.version = a.default_version and v.trusted)
  from pg_available_extensions a
  left join pg_extension e on e.extname = a.name
  left join pg_namespace n on n.oid = e.extnamespace
 order by a.name
