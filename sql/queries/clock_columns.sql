-- clock_columns: columns of some tables that a new row gets the time in, by their default.
-- $1 tables, quoted and qualified (text[])
-- returns: place of the table in $1, from 1; column; its type
select t.place, a.attname, format_type(a.atttypid, -1)
  from unnest($1::text[]) with ordinality t(name, place)
  join pg_attribute a on a.attrelid = to_regclass(t.name) and not a.attisdropped
  join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attgenerated = ''
   and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype)
   and pg_get_expr(d.adbin, d.adrelid)
       ~ '\m(now\(\)|CURRENT_TIMESTAMP|LOCALTIMESTAMP|(clock|statement|transaction)_timestamp\(\))'
 order by 1, 2
