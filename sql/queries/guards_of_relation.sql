-- guards_of_relation: guards of a link on one relation, those from its parents too.
-- $1 schema  $2 name  $3 names of the link's guards (text[])
-- returns: trigger
select t.tgname
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relname = $2 and t.tgname = any ($3::text[])
   and t.tgfoid = 'repld.refuse_write()'::regprocedure
 order by 1
