-- replaced_tables: tables that are there still, but one that is not among them bears their name, or
-- that have become partitions.
-- $1 schemas  $2 names (text[])  $3 oids (0: unknown), parallel
-- returns: schema.name, as given
select distinct format('%s.%s', e.schema, e.name)
  from unnest($1::text[], $2::text[], $3::oid[]) e(schema, name, oid)
  join pg_class own on own.oid = e.oid
 where own.relispartition
    or exists (select from pg_class c
                 join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = e.schema and c.relname = e.name and c.oid <> e.oid
                  and c.relkind in ('r', 'p') and c.oid <> all ($3::oid[]))
 order by 1
