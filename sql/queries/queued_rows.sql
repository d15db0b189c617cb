-- queued_rows: rows of a link's tables that are to be brought from the source anew.
-- $1 link  $2 how many at most  $3 tables to leave alone, as schema.table (text[])
-- returns: id, schema, table, columns that identify the row (text[] as json), their values (alike)
select id, schema_name, table_name, to_json(columns), to_json(key)
  from repld.refetch
 where link = $1 and schema_name || '.' || table_name <> all ($3::text[])
 order by schema_name, table_name, columns, id
 limit $2
