-- schema_columns: columns of tables, as DDL writes them.
-- $1 oids
-- returns: table oid, name, type, collation (null: the type's own), not null, default or generation
--          expression, identity, generated, is local, identity's sequence options, has variable length,
--          type oid, type modifier
select a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod),
       case when a.attcollation <> t.typcollation then format('%I.%I', cn.nspname, co.collname) end,
       a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       a.attislocal,
       (select format('start with %s increment by %s minvalue %s maxvalue %s cache %s%s', s.seqstart,
                      s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
                      case when s.seqcycle then ' cycle' else '' end)
          from pg_depend p join pg_sequence s on s.seqrelid = p.objid
         where a.attidentity <> '' and p.classid = 'pg_class'::regclass
           and p.refclassid = 'pg_class'::regclass and p.refobjid = a.attrelid
           and p.refobjsubid = a.attnum and p.deptype = 'i'),
       t.typlen = -1, a.atttypid::bigint, a.atttypmod
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join pg_collation co on co.oid = a.attcollation
  left join pg_namespace cn on cn.oid = co.collnamespace
 where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
 order by a.attrelid, a.attnum
