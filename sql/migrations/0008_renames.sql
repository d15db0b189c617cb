-- renames: tables that are renamed while a link replicates them.
--
-- table_state.target_oid  the target's table, whatever it is called: rows go to no other one. In
--                         links set up before this migration it is found by name; where the link
--                         has guards the table must bear one. Null: not found so, see link/renames

alter table repld.table_state add column target_oid oid;
with guarded as (
  select tgrelid, tgname from pg_trigger where tgfoid = 'repld.refuse_write()'::regprocedure
)
update repld.table_state s
   set target_oid = c.oid
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = s.schema_name and c.relname = s.table_name and c.relkind in ('r', 'p')
   and (exists (select from guarded g where g.tgrelid = c.oid and g.tgname = 'repld_guard_' || s.link)
     or not exists (select from guarded g where g.tgname = 'repld_guard_' || s.link));
