-- unguarded_roots: partitioned tables, of those given, without the row guard of this very nonce.
-- $1 schemas  $2 names: arrays, parallel  $3 trigger name  $4 nonce
-- returns: schema, name, whether it only stands disabled
select n.nspname, c.relname, g.oid is not null
  from unnest($1::text[], $2::text[]) given(schema_name, table_name)
  join pg_namespace n on n.nspname = given.schema_name
  join pg_class c on c.relnamespace = n.oid and c.relname = given.table_name and c.relkind = 'p'
  left join pg_trigger g
    on g.tgrelid = c.oid and g.tgname = $3 and strpos(pg_get_triggerdef(g.oid), $4) > 0
 where g.oid is null or g.tgenabled <> 'A'
 order by n.nspname, c.relname
