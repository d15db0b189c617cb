-- guarded_tables: relations that carry the guard of a link.
-- $1 name of its triggers
-- returns: schema, name
select n.nspname, c.relname
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
 where t.tgfoid = 'repld.refuse_write()'::regprocedure and t.tgname = $1
 order by n.nspname, c.relname
