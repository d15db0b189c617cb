-- user_triggers: triggers of these relations that would fire on our writes, the guard's left out;
-- and those that a partition had disabled by itself while its root's was enabled, so that restoring
-- the root's leaves them as they are. A partition made while the root's was set aside has its own
-- disabled from birth: those are not listed and come back with the root's.
-- $1 oids  $2 link
-- returns: schema, table, name, tgenabled
with recursive aside as (
  select t.oid, t.tgrelid, t.tgname, t.tgenabled
    from pg_trigger t
   where t.tgrelid = any ($1::oid[]) and not t.tgisinternal and t.tgenabled <> 'D'
     and t.tgfoid <> 'repld.refuse_write()'::regprocedure
  union
  select t.oid, t.tgrelid, t.tgname, t.tgenabled
    from aside above
    join pg_class c on c.oid = above.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_trigger t on t.tgparentid = above.oid and t.tgenabled = 'D'
   where t.tgrelid = any ($1::oid[])
     and not exists (select from repld.set_aside s  -- not by an earlier transaction
                      where s.link = $2 and s.kind = 'trigger' and s.schema_name = n.nspname
                        and s.table_name = c.relname and s.name = above.tgname)
)
select n.nspname, c.relname, a.tgname, a.tgenabled::text
  from aside a
  join pg_class c on c.oid = a.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
 order by n.nspname, c.relname, a.tgname
