-- schema_indexes: indexes of tables; those that a partition has from its parent go with it.
-- $1 oids
-- returns: table oid, name, definition, belongs to a constraint, is unique, is a btree, columns that
--          it stores (json)
select x.indrelid::bigint, c.relname, pg_get_indexdef(x.indexrelid),
       exists (select from pg_constraint k
                where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')),
       x.indisunique, m.amname = 'btree',
       (select coalesce(json_agg(a.attname order by u.place), '[]')
          from unnest(x.indkey::int2[]) with ordinality u(attnum, place)
          join pg_attribute a on a.attrelid = x.indrelid and a.attnum = u.attnum)
  from pg_index x
  join pg_class c on c.oid = x.indexrelid
  join pg_am m on m.oid = c.relam
 where x.indrelid = any ($1::oid[]) and x.indisvalid
   and not exists (select from pg_inherits i where i.inhrelid = x.indexrelid)
 order by x.indrelid, c.relname
