-- server_load: what is taken of the limits. Sessions are counted without repld's own, a daemon's as
-- well as this one's: both go by the application_name of the same DSN.
-- returns: sessions, WAL senders, may set session_replication_role, may use replication origins,
--          may end other roles' sessions, large objects, sessions of our role, sessions of the database
select count(*),
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
   and (a.usename = current_user and a.application_name <> ''
        and a.application_name = current_setting('application_name')) is not true
