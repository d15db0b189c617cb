-- clock_columns: columns of some tables that a new row gets the time in, by their default. Left out
-- are tables under the guard of a link: what they have, it brought, and nobody has written since.
-- $1 tables, quoted and qualified (text[])  $2 name of the guard's triggers
-- returns: place of the table in $1, from 1; column; its type
select t.place, a.attname, format_type(a.atttypid, -1)
  from unnest($1::text[]) with ordinality t(name, place)
  join pg_attribute a on a.attrelid = to_regclass(t.name) and not a.attisdropped
  join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attgenerated = ''
   and a.atttypid in ('timestamptz'::regtype, 'timestamp'::regtype)
   and pg_get_expr(d.adbin, d.adrelid)
       ~ '\m(now\(\)|CURRENT_TIMESTAMP|LOCALTIMESTAMP|(clock|statement|transaction)_timestamp\(\))'
   and not exists (select from pg_trigger g
                    where g.tgrelid = a.attrelid and g.tgname = $2 and g.tgenabled = 'A'
                      and g.tgfoid = 'repld.refuse_write()'::regprocedure)
 order by 1, 2
