-- half_copied_tables: tables that an interrupted copy found empty and began to fill, those under
-- the guard.
-- $1 link  $2 name of its guard triggers  $3 states of repld.table_state (text[])
-- returns: schema, name
select s.schema_name, s.table_name
  from repld.table_state s
  join pg_namespace n on n.nspname = s.schema_name
  join pg_class c on c.relnamespace = n.oid and c.relname = s.table_name
  join pg_trigger t on t.tgrelid = c.oid and t.tgname = $2 and t.tgenabled = 'A'
 where s.link = $1 and s.found_empty and s.state = any ($3::text[])
   and t.tgfoid = 'repld.refuse_write()'::regprocedure
 order by 1, 2
