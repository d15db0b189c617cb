-- source: a role of repld's own on the source, with no more than it needs.
--
-- Run once in the source's database, as a superuser or, from version 16 on, as a role with
-- CREATEROLE, REPLICATION and ADMIN on the owners of the tables; then give the role a password
-- (\password repld). Tables in other schemas than public: name them in the two queries.
-- On Supabase the tables belong to postgres, of which nobody can be made a member: use postgres.
--
-- REPLICATION      to create the slot and to stream from it
-- CREATE           on the database, for the publication
-- table owners     to put tables into the publication, which only an owner may; reading them for
--                  the first copy comes with it, past row-level security too unless it is FORCEd
-- pg_monitor       optional: names the session that a new slot waits for
-- Not needed: superuser, BYPASSRLS, any right to write.
-- For the way back: CREATE on the tables' schemas, for partitions that appear after the cutover;
-- writing comes with the owners.
create role repld login replication;

do $$
declare
  name text;
begin
  execute format('grant connect, create on database %I to repld', current_database());
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
    execute format('grant usage on schema %I to repld', name);
  end loop;
end $$;

grant pg_monitor to repld;
