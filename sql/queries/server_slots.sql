-- server_slots: who holds replication slots.
-- returns: name, active, database or physical, wal_status, retained bytes
select s.slot_name, s.active, coalesce(s.database, 'physical'), coalesce(s.wal_status, ''),
       coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
                                     else pg_current_wal_lsn() end, s.restart_lsn), 0)::bigint
  from pg_replication_slots s
 order by s.active, s.restart_lsn nulls first, s.slot_name
