-- taken_over: what a link knows of a table of the source, and of one of the target.
-- $1 link  $2 oid on the source, 0: none  $3 oid on the target, 0: none
-- returns: schema, name, is the source's, is the target's, is gone from the target, is known by name
--          alone on the source, is not known by oid on the target; the source's first
select schema_name, table_name, coalesce(source_oid = $2::oid, false),
       coalesce(target_oid = $3::oid, false),
       not exists (select from pg_class c where c.oid = target_oid), source_oid is null,
       target_oid is null
  from repld.table_state
 where link = $1 and (source_oid = $2::oid or target_oid = $3::oid)
 order by 3 desc, 1, 2
