-- guarded_tables: relations that carry a guard of a link, by themselves and not through a parent.
-- $1 names of its triggers (text[])
-- returns: schema, name, trigger
select n.nspname, c.relname, t.tgname
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
 where t.tgfoid = 'repld.refuse_write()'::regprocedure and t.tgname = any ($1::text[])
   and t.tgparentid = 0
 order by n.nspname, c.relname, t.tgname
