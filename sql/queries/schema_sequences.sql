-- schema_sequences: every sequence but those of identity columns, which go with their column.
-- $1 oids of the tables that matter
-- returns: schema, name, options, owning schema, table and column, is owned by or a default of one of
--          the tables
select n.nspname, c.relname,
       format('as %s start with %s increment by %s minvalue %s maxvalue %s cache %s%s',
              format_type(s.seqtypid, null), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
              case when s.seqcycle then ' cycle' else '' end),
       onn.nspname, o.relname, a.attname,
       coalesce(o.oid = any ($1::oid[]), false)
         or exists (select from pg_depend d join pg_attrdef f on f.oid = d.objid
                     where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass
                       and d.refobjid = c.oid and f.adrelid = any ($1::oid[]))
  from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_depend w on w.classid = 'pg_class'::regclass and w.objid = c.oid and w.objsubid = 0
                       and w.refclassid = 'pg_class'::regclass and w.deptype in ('a', 'i')
  left join pg_class o on o.oid = w.refobjid
  left join pg_namespace onn on onn.oid = o.relnamespace
  left join pg_attribute a on a.attrelid = o.oid and a.attnum = w.refobjsubid
 where n.nspname not like 'pg\_%' and n.nspname not in ('information_schema', 'repld')
   and coalesce(w.deptype, 'a') <> 'i'
 order by n.nspname, c.relname
