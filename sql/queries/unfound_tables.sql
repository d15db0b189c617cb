-- unfound_tables: tables of a link of which the target's table is not known, or not what is known.
-- $1 link  $2 name of its guard triggers
-- returns: schema, name, oid on the source, is none known
with guarded as (
  select tgrelid from pg_trigger where tgname = $2 and tgfoid = 'repld.refuse_write()'::regprocedure
)
select schema_name, table_name, source_oid::bigint, target_oid is null
  from repld.table_state s
 where link = $1 and source_oid is not null
   and (target_oid is null
     or not exists (select from pg_class c where c.oid = s.target_oid and c.relkind in ('r', 'p'))
     or (exists (select from guarded) and s.target_oid not in (select tgrelid from guarded)))
