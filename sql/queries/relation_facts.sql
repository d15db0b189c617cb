-- relation_facts: where a relation stands among partitions, and what identifies its rows.
-- $1 oid
-- returns: root schema, root name, partition bound, partition constraint (empty for none), columns
--          of each unique index that is whole, checked at once and without nulls (json array of
--          arrays), oid of the root; no row when the relation is gone
select n.nspname, r.relname, coalesce(pg_get_expr(c.relpartbound, c.oid), ''),
       coalesce(pg_get_partition_constraintdef(c.oid), ''),
       (select json_agg(k.columns)
          from (select json_agg(a.attname) as columns
                  from pg_index x
                 cross join unnest(x.indkey::int2[]) with ordinality e(attnum, place)
                  join pg_attribute a on a.attrelid = x.indrelid and a.attnum = e.attnum
                 where x.indrelid = c.oid and x.indisunique and x.indisvalid and x.indimmediate
                   and x.indpred is null and x.indexprs is null and e.place <= x.indnkeyatts
                 group by x.indexrelid
                having bool_and(a.attnotnull)) k),
       r.oid
  from pg_class c
  join pg_class r on r.oid = coalesce(pg_partition_root(c.oid)::oid, c.oid)
  join pg_namespace n on n.oid = r.relnamespace
 where c.oid = $1::oid
