-- leaving_relations: tables that leave a link, and their partitions.
-- $1 link
-- returns: schema, name
select n.nspname, c.relname
  from repld.table_state s
  join pg_class t on t.oid = coalesce(s.target_oid, (select nc.oid
                                               from pg_class nc
                                               join pg_namespace nn on nn.oid = nc.relnamespace
                                              where nn.nspname = s.schema_name
                                                and nc.relname = s.table_name))
 cross join lateral (select t.oid as relid union select relid from pg_partition_tree(t.oid)) p
  join pg_class c on c.oid = p.relid
  join pg_namespace n on n.oid = c.relnamespace
 where s.link = $1 and s.state = 'leaving'
