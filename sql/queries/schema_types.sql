-- schema_types: users' enums, domains, composites and ranges, a type after those it is made of.
-- returns: schema, name, typtype, definition that creates it, labels of an enum (json)
select n.nspname, t.typname, t.typtype::text,
       case t.typtype
         when 'e' then format('create type %I.%I as enum (%s)', n.nspname, t.typname,
           (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
              from pg_enum e where e.enumtypid = t.oid))
         when 'd' then format('create domain %I.%I as %s%s%s%s%s', n.nspname, t.typname,
           format_type(t.typbasetype, t.typtypmod),
           (select format(' collate %I.%I', cn.nspname, co.collname)
              from pg_collation co join pg_namespace cn on cn.oid = co.collnamespace
              join pg_type b on b.oid = t.typbasetype
             where co.oid = t.typcollation and t.typcollation <> b.typcollation),
           ' default ' || t.typdefault, case when t.typnotnull then ' not null' end,
           (select string_agg(format(' constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), ''
                              order by k.conname)
              from pg_constraint k where k.contypid = t.oid and k.contype = 'c'))
         when 'c' then format('create type %I.%I as (%s)', n.nspname, t.typname,
           (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
                              order by a.attnum)
              from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped))
         when 'r' then format('create type %I.%I as range (subtype = %s, multirange_type_name = %s)',
           n.nspname, t.typname, format_type(r.rngsubtype, null), format_type(r.rngmultitypid, null))
       end,
       (select coalesce(json_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e
         where e.enumtypid = t.oid)
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  left join pg_range r on r.rngtypid = t.oid
 where t.typtype in ('e', 'd', 'c', 'r') and coalesce(c.relkind, 'c') = 'c'
   and n.nspname not like 'pg\_%' and n.nspname not in ('information_schema', 'repld')
   and not exists (select from pg_depend d
                    where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
 order by t.oid
