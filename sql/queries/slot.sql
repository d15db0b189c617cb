-- slot: a replication slot and the WAL that the server keeps for it.
-- $1 name
-- returns: plugin, active, active_pid, confirmed_flush_lsn, wal_status, safe_wal_size, retained
--          bytes, is of this database
select s.plugin, s.active, coalesce(s.active_pid, 0), coalesce(s.confirmed_flush_lsn, '0/0')::text,
       coalesce(s.wal_status, ''), s.safe_wal_size,
       coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
                                     else pg_current_wal_lsn() end, s.restart_lsn), 0)::bigint,
       coalesce(s.database = current_database(), false)
  from pg_replication_slots s
 where s.slot_name = $1
