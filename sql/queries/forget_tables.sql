-- forget_tables: forgets the tables of a link that are in one of the states, with their proofs and
-- rows that were yet to be brought.
-- $1 link  $2 states of repld.table_state (text[])
with gone as (
  delete from repld.table_state
   where link = $1 and state = any ($2::text[])
  returning schema_name, table_name
), rows_of_them as (
  delete from repld.refetch r
   using gone
   where r.link = $1 and (r.schema_name, r.table_name) = (gone.schema_name, gone.table_name)
)
delete from repld.verification v
 using gone
 where v.link = $1 and (v.schema_name, v.table_name) = (gone.schema_name, gone.table_name)
