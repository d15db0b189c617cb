-- target_keys: unique indexes that can identify a row: whole, on plain columns, checked at once.
-- $1 oid
-- returns: is primary, column names (json array)
select x.indisprimary,
       (select json_agg(a.attname order by k.place)
          from unnest(x.indkey::int2[]) with ordinality k(attnum, place)
          join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum
         where k.place <= x.indnkeyatts)
  from pg_index x
 where x.indrelid = $1::oid and x.indisunique and x.indisvalid and x.indimmediate
   and x.indpred is null and x.indexprs is null
 order by x.indisprimary desc, x.indexrelid
