-- store_verification: adds a comparison of a table that the link still has; of each table the newest
-- hundred are kept. A proof ends the suspicion that its snapshot shows, and no later one; and where
-- all is equal, rows that were to be brought by then are.
-- $1 link  $2 schema  $3 table  $4 rows  $5 rows of the target  $6 missing  $7 extra  $8 different
-- $9 why it is unproven, empty: it is proven  $10 seconds  $11 shape  $12 since when its snapshot
-- shows it suspected, empty: it does not  $13 newest row that its snapshot shows as to be brought
-- returns: why it holds no longer already, null: it does; no row: the link has no such table
with old as (
  delete from repld.verification
   where id in (select id from repld.verification
                 where link = $1 and schema_name = $2 and table_name = $3
                 order by id desc offset 99)
), proven as (
  update repld.table_state t
     set proven_shape = case when $9 = '' then $11 else proven_shape end,
         suspicion = case when $9 = '' and suspected_at is not distinct from nullif($12, '')::timestamptz
                          then null else suspicion end
   where link = $1 and schema_name = $2 and table_name = $3 and state = 'copied'
  returning suspicion
), brought as (
  delete from repld.refetch
   where link = $1 and schema_name = $2 and table_name = $3 and id <= $13::bigint
     and $9 = '' and $6::bigint + $7::bigint + $8::bigint = 0
), added as (
  insert into repld.verification
    (link, schema_name, table_name, rows, target_rows, missing, extra, different, unproven, seconds)
  select $1, $2, $3, $4, $5, $6, $7, $8, nullif($9, ''), $10
   where exists (select from proven)
)
select suspicion from proven
