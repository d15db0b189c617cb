-- unfound_tables: tables of a link of which the target's table is not known.
-- $1 link
-- returns: schema, name, oid on the source
select schema_name, table_name, source_oid::bigint
  from repld.table_state
 where link = $1 and target_oid is null and source_oid is not null
