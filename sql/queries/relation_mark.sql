-- relation_mark: what decides where rows of a relation go and what identifies them, as one text that
-- differs when any of it does: the partitioned tables above it, the bounds under each, and the
-- unique indexes without nulls. Waits for no lock.
-- $1 oid
-- returns: mark; no row when the relation is gone
select concat_ws(' / ',
         (select string_agg(concat_ws(' ', p.oid, n.nspname, p.relname, i.xmin,
                                      hashtextextended(p.relpartbound::text, 0)), ', '
                            order by a.level)
            from pg_partition_ancestors(c.oid) with ordinality a(relid, level)
            join pg_class p on p.oid = a.relid
            join pg_namespace n on n.oid = p.relnamespace
            left join pg_inherits i on i.inhrelid = p.oid),
         (select string_agg(k.oid::text, ', ' order by k.oid)
            from (select x.indexrelid as oid
                    from pg_index x
                   cross join unnest(x.indkey::int2[]) with ordinality e(attnum, place)
                    join pg_attribute a on a.attrelid = x.indrelid and a.attnum = e.attnum
                   where x.indrelid = c.oid and x.indisunique and x.indisvalid and x.indimmediate
                     and x.indpred is null and x.indexprs is null and e.place <= x.indnkeyatts
                   group by x.indexrelid
                  having bool_and(a.attnotnull)) k))
  from pg_class c
 where c.oid = $1::oid
