-- server_load: what is taken of the limits.
-- returns: connections, WAL senders, may set session_replication_role, may use replication origins,
--          may end other roles' sessions, large objects
select (select sum(numbackends) from pg_stat_database)::bigint,
       (select count(*) from pg_stat_replication),
       has_parameter_privilege('session_replication_role', 'set'),
       has_function_privilege('pg_replication_origin_create(text)', 'execute'),
       pg_has_role('pg_signal_backend', 'usage'),
       (select count(*) from pg_largeobject_metadata)
