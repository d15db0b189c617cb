-- schema_triggers: users' triggers of tables, without repld's guard.
-- $1 oids
-- returns: table oid, name, definition, enabled, schema of the function, function
select t.tgrelid::bigint, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, n.nspname, p.proname
  from pg_trigger t
  join pg_proc p on p.oid = t.tgfoid
  join pg_namespace n on n.oid = p.pronamespace
 where t.tgrelid = any ($1::oid[]) and not t.tgisinternal and t.tgparentid = 0
   and n.nspname <> 'repld'
 order by t.tgrelid, t.tgname
