-- new_column: how ALTER TABLE adds a column like this one so that existing rows have the value that
-- they have here. That value is known when the server keeps it beside the rows (it was constant), or
-- when nothing ever gave one; not of identity columns, nor where adding it rewrote the table. A
-- column that is older than one which the target has was renamed, not added.
-- $1 oid of the relation  $2 column  $3 oid of its type  $4 columns that the target has
-- returns: type, collation as a clause or '', value of existing rows as text or null,
--          default as an expression or null; no row: the value is not known, or the column is not
--          what it was
select format_type(a.atttypid, a.atttypmod),
       case when a.attcollation <> t.typcollation
            then format(' collate %I.%I', cn.nspname, c.collname) else '' end,
       case when a.atthasmissing then (a.attmissingval::text::text[])[1] end,
       pg_get_expr(d.adbin, d.adrelid)
  from pg_attribute a
  join pg_class r on r.oid = a.attrelid
  join pg_type t on t.oid = a.atttypid
  left join pg_collation c on c.oid = a.attcollation
  left join pg_namespace cn on cn.oid = c.collnamespace
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attrelid = $1::oid and a.attname = $2 and a.atttypid = $3::oid and not a.attisdropped
   and a.attnum > all (select k.attnum from pg_attribute k
                        where k.attrelid = a.attrelid and k.attname = any ($4::text[])
                          and not k.attisdropped)
   and a.attidentity = '' and a.attgenerated = '' and r.relkind = 'r'
   and (a.atthasmissing and t.typdelim = ','
        or not a.atthasmissing and d.oid is null and t.typtype <> 'd')
