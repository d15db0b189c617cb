-- follow_rename: forgets what a table of the source was called when it last began to join; what was
-- set aside of the target's goes by the new name.
-- $1 link  $2 schema  $3 name, as the target's table is called now  $4 oid on the source
with former as (
  delete from repld.table_state
   where link = $1 and source_oid = $4::oid and (schema_name, table_name) <> ($2, $3)
  returning schema_name, table_name, target_oid
)
update repld.set_aside a
   set schema_name = $2, table_name = $3
  from former f
  join pg_class c on c.oid = f.target_oid and c.relname = $3
  join pg_namespace n on n.oid = c.relnamespace and n.nspname = $2
 where a.link = $1 and (a.schema_name, a.table_name) = (f.schema_name, f.table_name)
