-- disabled_clones: triggers of partitions that descend from one of a partitioned table and were
-- disabled from birth, because the partition was made while that one was set aside. What the
-- journal names is left to the journal, with all that descends from it.
-- $1 schema  $2 table  $3 trigger  $4 link
-- returns: schema, table, trigger; the upper ones first
with recursive clone as (
  select t.oid, 0 as depth
    from pg_trigger t
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = $1 and c.relname = $2 and t.tgname = $3
  union all
  select t.oid, p.depth + 1
    from clone p
    join pg_trigger t on t.tgparentid = p.oid
    join pg_class c on c.oid = t.tgrelid
    join pg_namespace n on n.oid = c.relnamespace
   where t.tgenabled = 'D'
     and not exists (select from repld.set_aside s
                      where s.link = $4 and s.kind = 'trigger' and s.schema_name = n.nspname
                        and s.table_name = c.relname and s.name = t.tgname)
)
select n.nspname, c.relname, t.tgname
  from clone
  join pg_trigger t on t.oid = clone.oid
  join pg_class c on c.oid = t.tgrelid
  join pg_namespace n on n.oid = c.relnamespace
 where clone.depth > 0
 order by clone.depth, n.nspname, c.relname
