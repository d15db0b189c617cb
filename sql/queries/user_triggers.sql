-- user_triggers: triggers of a relation that would fire on our writes, the guard's left out; and
-- those that a partition had disabled by itself while its root's was enabled, so that restoring
-- the root's leaves them as they are. A partition made while the root's was set aside has its own
-- disabled from birth: those are not listed and come back with the root's.
-- $1 oid  $2 link
-- returns: name, tgenabled
select t.tgname, t.tgenabled::text
  from pg_trigger t
 where t.tgrelid = $1::oid and not t.tgisinternal
   and t.tgfoid <> 'repld.refuse_write()'::regprocedure
   and (t.tgenabled <> 'D'
        or exists (select from pg_trigger root
                     join pg_class c on c.oid = root.tgrelid
                     join pg_namespace n on n.oid = c.relnamespace
                     join repld.set_aside s
                       on s.link = $2 and s.kind = 'trigger' and s.schema_name = n.nspname
                      and s.table_name = c.relname and s.name = root.tgname
                    where root.oid = t.tgparentid
                      and s.at = now()))  -- by this very transaction
 order by t.tgname
