-- published_tables: tables that a publication lists, partitioned ones by their root.
-- $1 name of the publication
-- returns: oid, oid of the entry in pg_publication_rel, schema, name, has a row filter or a column
--          list, is partitioned
select r.prrelid::bigint, r.oid::bigint, n.nspname, c.relname,
       r.prqual is not null or r.prattrs is not null, c.relkind = 'p'
  from pg_publication p
  join pg_publication_rel r on r.prpubid = p.oid
  join pg_class c on c.oid = r.prrelid
  join pg_namespace n on n.oid = c.relnamespace
 where p.pubname = $1
 order by n.nspname, c.relname
