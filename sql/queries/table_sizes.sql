-- table_sizes: what tables take on disk with their partitions, indexes and TOAST, also in schemas that
-- are closed to us. Waits for who has locked one as a whole.
-- $1 names (text[] as json of [schema, name])
-- returns: schema, name, bytes; no row for a table that is not there
select n.nspname, c.relname, sum(coalesce(pg_total_relation_size(t.relid), 0))::bigint
  from json_array_elements($1::json) as x(name)
  join pg_namespace n on n.nspname = x.name ->> 0
  join pg_class c on c.relnamespace = n.oid and c.relname = x.name ->> 1
  cross join lateral (select c.oid as relid
                      union select relid from pg_partition_tree(c.oid)) t
 group by 1, 2
