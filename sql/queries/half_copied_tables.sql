-- half_copied_tables: tables that an interrupted copy found empty and began to fill, those under
-- the guard.
-- $1 link  $2 name of its guard triggers  $3 states of repld.table_state (text[])
-- returns: schema, name, as they are called; schema, name, as they were taken over
select n.nspname, c.relname, s.schema_name, s.table_name
  from repld.table_state s
  join pg_class c on c.oid = s.target_oid
  join pg_namespace n on n.oid = c.relnamespace
  join pg_trigger t on t.tgrelid = c.oid and t.tgname = $2 and t.tgenabled = 'A'
 where s.link = $1 and s.found_empty and s.state = any ($3::text[])
   and t.tgfoid = 'repld.refuse_write()'::regprocedure
 order by 1, 2
