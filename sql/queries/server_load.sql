-- server_load: what is taken of the limits.
-- returns: connections, WAL senders, may set session_replication_role, may use replication origins,
--          may end other roles' sessions, large objects, sessions of our role, sessions of the database
--          (both as connection limits count them, without repld's own)
select (select sum(numbackends) from pg_stat_database)::bigint,
       (select count(*) from pg_stat_replication),
       has_parameter_privilege('session_replication_role', 'set'),
       has_function_privilege('pg_replication_origin_create(text)', 'execute'),
       pg_has_role('pg_signal_backend', 'usage'),
       (select count(*) from pg_largeobject_metadata),
       count(*) filter (where a.usename = current_user),
       count(*) filter (where a.datname = current_database())
  from pg_stat_activity a
 where a.usesysid is not null and a.datid <> 0
       -- unknown of sessions that we may not look into
   and coalesce(a.backend_type, 'client backend') in ('client backend', 'walsender')
   and not (a.usename = current_user and coalesce(a.application_name, '') like 'repld%')
