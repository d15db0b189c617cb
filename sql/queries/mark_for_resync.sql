-- mark_for_resync: what a table of a link holds is to be thrown away and copied anew.
-- $1 link  $2 table, as schema.table
-- returns: schema, name; no row: it is no copied table of the link
update repld.table_state
   set state = 'joining', found_empty = true, rows = 0, bytes = 0, copied_at = null,
       suspicion = 'copied afresh', suspected_at = clock_timestamp()
 where link = $1 and schema_name || '.' || table_name = $2 and state = 'copied'
returning schema_name, table_name
