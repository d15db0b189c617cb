-- server_settings: settings as a session gets them that states none of its own. Sizes and times in
-- their base units.
-- returns: name, value, unit, where it comes from
select name, setting, coalesce(unit, ''), source
  from pg_settings
 where name in ('wal_level', 'max_replication_slots', 'max_wal_senders', 'max_connections',
                'superuser_reserved_connections', 'reserved_connections', 'max_slot_wal_keep_size',
                'idle_replication_slot_timeout', 'wal_sender_timeout', 'statement_timeout',
                'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',
                'transaction_timeout', 'TimeZone', 'DateStyle', 'IntervalStyle',
                'default_transaction_isolation', 'default_transaction_read_only',
                'standard_conforming_strings', 'transform_null_equals', 'array_nulls',
                'exit_on_error', 'bytea_output', 'row_security', 'temp_file_limit')
 order by name
