-- row_changes: how many rows were ever written to some tables and their partitions, by anybody.
-- $1 tables, quoted and qualified (text[])
-- returns: schema, name, rows
select n.nspname, r.relname,
       sum(pg_stat_get_tuples_inserted(part) + pg_stat_get_tuples_updated(part) +
           pg_stat_get_tuples_deleted(part))::bigint
  from unnest($1::text[]) name
  join pg_class r on r.oid = to_regclass(name)
  join pg_namespace n on n.oid = r.relnamespace
 cross join lateral (
    select r.oid as part
    union
    select relid from pg_partition_tree(r.oid)) p
 group by 1, 2
 order by 1, 2
