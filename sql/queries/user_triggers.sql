-- user_triggers: triggers of a relation that would fire on our writes, the guard's left out.
-- $1 oid
-- returns: name, tgenabled
select t.tgname, t.tgenabled::text
  from pg_trigger t
 where t.tgrelid = $1::oid and not t.tgisinternal and t.tgenabled <> 'D'
   and t.tgfoid <> 'repld.refuse_write()'::regprocedure
 order by t.tgname
