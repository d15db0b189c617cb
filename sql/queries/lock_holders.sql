-- lock_holders: who holds locks on tables, or waits for them, that keep a given lock away.
-- $1 tables (json array of pairs, schema and name)  $2 modes, array  $3 pid to leave out
-- returns: pid (0: a prepared transaction), its gid, schema, table, mode, what it is (backend_type
--          or empty), state, seconds since its transaction began (null: unknown to us), identity of
--          its transaction
with recursive tree as (
  select c.oid
    from jsonb_array_elements($1::jsonb) g
    join pg_namespace n on n.nspname = g ->> 0
    join pg_class c on c.relnamespace = n.oid and c.relname = g ->> 1
  union
  select i.inhrelid from tree t join pg_inherits i on i.inhparent = t.oid
)
select coalesce(l.pid, 0), coalesce(x.gid, ''), n.nspname, c.relname, l.mode,
       coalesce(a.backend_type, ''), coalesce(a.state, ''),
       extract(epoch from clock_timestamp() - coalesce(a.xact_start, x.prepared)),
       l.virtualtransaction
  from pg_locks l
  join tree t on t.oid = l.relation
  join pg_class c on c.oid = l.relation
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_stat_activity a on a.pid = l.pid
  left join pg_prepared_xacts x
    on l.pid is null and x.transaction::text = split_part(l.virtualtransaction, '/', 2)
 where l.locktype = 'relation' and l.granted and l.mode = any ($2::text[])
   and l.database = (select oid from pg_database where datname = current_database())
   and l.pid is distinct from $3::int
 order by 8 desc nulls last, 1, 3, 4
