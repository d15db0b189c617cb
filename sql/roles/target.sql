-- target: a role of repld's own on the target, with no more than it needs.
--
-- Run once in the target's database, as a superuser or as its owner with CREATEROLE (from version
-- 16 on also with ADMIN on the owners of the tables); then give the role a password
-- (\password repld). Tables in other schemas than public: name them in the two queries.
--
-- schema repld     where the link keeps its position; owned by the role, so that it needs no right
--                  to create anything on the database
-- table owners     to write the rows, to put the guard on the tables and to set their triggers and
--                  foreign keys aside, which only an owner may
-- CREATE           on the tables' schemas, for partitions that appear while running
-- Not needed: superuser, REPLICATION, BYPASSRLS, session_replication_role, replication origins.
-- For the way back: ALTER ROLE repld REPLICATION, and CREATE on the database for its publication.
create role repld login;
grant repld to current_user;
create schema repld authorization repld;

do $$
declare
  name text;
begin
  execute format('grant connect on database %I to repld', current_database());
  for name in select distinct t.tableowner from pg_tables t
               join pg_roles r on r.rolname = t.tableowner and not r.rolsuper
              where t.schemaname in ('public') loop
    execute format('grant %I to repld', name);
  end loop;
  -- Who may act as a superuser is one: such tables, of extensions most likely, stay out of reach.
  for name in select format('%I.%I', t.schemaname, t.tablename) from pg_tables t
               join pg_roles r on r.rolname = t.tableowner and r.rolsuper
              where t.schemaname in ('public') loop
    raise notice 'table % belongs to a superuser: list it in tables.exclude', name;
  end loop;
  for name in select distinct schemaname from pg_tables where schemaname in ('public') loop
    execute format('grant usage, create on schema %I to repld', name);
  end loop;
end $$;
