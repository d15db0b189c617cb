-- server_identity: who we are on a server and what kind of server it is.
-- returns: user, superuser, replication, bypassrls, createrole, createdb, memberships (json), database,
--          its owner, we may create schemas in it, encoding, collation, ctype, locale provider, version,
--          in recovery, transactions begin read-only, TLS, TLS version, superuser names (json), there is a
--          schema repld that we may make tables in, connection limits of the role and of the database
select r.rolname, r.rolsuper, r.rolreplication, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb,
       (select coalesce(json_agg(m.rolname order by m.rolname), '[]') from pg_roles m
         where m.oid <> r.oid and not r.rolsuper and pg_has_role(r.oid, m.oid, 'usage')),
       d.datname, pg_get_userbyid(d.datdba), has_database_privilege(d.oid, 'create'),
       pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, d.datlocprovider::text,
       current_setting('server_version'), pg_is_in_recovery(),
       current_setting('transaction_read_only')::boolean,
       coalesce(s.ssl, false), coalesce(s.version, ''),
       (select coalesce(json_agg(u.rolname order by u.oid), '[]') from pg_roles u where u.rolsuper),
       coalesce(has_schema_privilege(to_regnamespace('repld'), 'create'), false),
       r.rolconnlimit, d.datconnlimit
  from pg_roles r
  join pg_database d on d.datname = current_database()
  left join pg_stat_ssl s on s.pid = pg_backend_pid()
 where r.rolname = current_user
