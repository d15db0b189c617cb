-- server_transactions: transactions that a new slot has to wait for, oldest first.
-- $1 seconds they are old at least
-- returns: pid (0: prepared), gid, role, seconds, the role is a superuser
select pid, gid, role, seconds,
       coalesce((select r.rolsuper from pg_roles r where r.rolname = t.role), true)
  from (select a.pid, '' as gid, coalesce(a.usename, '') as role,
               extract(epoch from clock_timestamp() - a.xact_start)::bigint as seconds
          from pg_stat_activity a
         where a.backend_xid is not null and a.pid <> pg_backend_pid()
         union all
        select 0, x.gid, x.owner, extract(epoch from clock_timestamp() - x.prepared)::bigint
          from pg_prepared_xacts x where x.database = current_database()) t
 where coalesce(seconds, 0) >= $1::bigint
 order by seconds desc
