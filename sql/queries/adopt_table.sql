-- adopt_table: takes a table of the target for the one that a link copied: if it is guarded with the
-- link's nonce, or by its name alone, if none is known, the name is still the same, and no guard is
-- left whose table is not known.
-- $1 link  $2 schema  $3 name, as it is known  $4 schema  $5 name, as it is called
-- $6 name of the guard triggers  $7 nonce  $8 by name alone
with guarded as (
  select g.tgrelid, strpos(pg_get_triggerdef(g.oid), $7) > 0 as ours
    from pg_trigger g
    join pg_class c on c.oid = g.tgrelid
   where g.tgname = $6 and g.tgfoid = 'repld.refuse_write()'::regprocedure and not c.relispartition
     and not exists (select from repld.table_state o where o.link = $1 and o.target_oid = c.oid)
)
update repld.table_state s
   set target_oid = c.oid
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where s.link = $1 and (s.schema_name, s.table_name) = ($2, $3)
   and n.nspname = $4 and c.relname = $5 and c.relkind in ('r', 'p')
   and not exists (select from repld.table_state o where o.link = $1 and o.target_oid = c.oid)
   and case when $8::boolean
            then s.target_oid is null and ($4, $5) = ($2, $3)
                 and not exists (select from guarded where tgrelid <> c.oid)
            else exists (select from guarded where tgrelid = c.oid and ours)
       end
