-- forget_chunks: forgets what was copied of the tables of a link that are in one of the states.
-- $1 link  $2 states of repld.table_state (text[])
delete from repld.copy_chunk c
 using repld.table_state t
 where t.link = $1 and t.state = any ($2::text[]) and c.link = t.link
   and (c.root_schema, c.root_name) = (t.schema_name, t.table_name)
