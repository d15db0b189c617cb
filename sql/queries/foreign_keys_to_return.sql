-- foreign_keys_to_return: foreign keys that were set aside because of some tables of the link, those
-- that leave it or those that are named, and that no other table of it has an end of. The journal has the referenced table only in the
-- definition, qualified since it was printed with an empty search_path.
-- $1 link  $2 schemas  $3 names: arrays, parallel; null: the tables that leave
-- returns: schema, name of the table that has it, name, how, definition
with relation as (
  select case when $2::text[] is null then s.state = 'leaving'
              else exists (select from unnest($2::text[], $3::text[]) g(schema_name, table_name)
                            where (g.schema_name, g.table_name) = (s.schema_name, s.table_name))
         end as leaving, n.nspname, c.relname,
         format('REFERENCES %I.%I(', n.nspname, c.relname) as reference
    from repld.table_state s
    join pg_class t on t.oid = coalesce(s.target_oid, (select nc.oid
                                                 from pg_class nc
                                                 join pg_namespace nn on nn.oid = nc.relnamespace
                                                where nn.nspname = s.schema_name
                                                  and nc.relname = s.table_name))
   cross join lateral (select t.oid as relid union select relid from pg_partition_tree(t.oid)) p
    join pg_class c on c.oid = p.relid
    join pg_namespace n on n.oid = c.relnamespace
   where s.link = $1
), entry as (
  select a.*, bool_or(r.leaving) as leaves, bool_or(not r.leaving) as stays
    from repld.set_aside a
    join relation r on (a.schema_name, a.table_name) = (r.nspname, r.relname)
                    or position(r.reference in a.definition) > 0
   where a.link = $1 and a.kind = 'foreign_key'
   group by a.link, a.kind, a.schema_name, a.table_name, a.name
)
select schema_name, table_name, name, how, definition
  from entry
 where leaves and not stays
 order by 1, 2, 3
