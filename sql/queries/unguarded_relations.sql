-- unguarded_relations: tables and their partitions, those that lack the guard of this very nonce.
-- $1 schemas  $2 names: arrays, parallel  $3 trigger name  $4 nonce
-- returns: schema, name
with recursive tree as (
  select c.oid
    from unnest($1::text[], $2::text[]) root(schema_name, table_name)
    join pg_namespace n on n.nspname = root.schema_name
    join pg_class c on c.relnamespace = n.oid and c.relname = root.table_name
  union
  select i.inhrelid
    from tree t
    join pg_class p on p.oid = t.oid and p.relkind = 'p'
    join pg_inherits i on i.inhparent = t.oid
)
select n.nspname, c.relname
  from tree t
  join pg_class c on c.oid = t.oid
  join pg_namespace n on n.oid = c.relnamespace
 where not exists (select from pg_trigger g
                    where g.tgrelid = t.oid and g.tgname = $3 and g.tgenabled = 'A'
                      and strpos(pg_get_triggerdef(g.oid), $4) > 0)
 order by n.nspname, c.relname
