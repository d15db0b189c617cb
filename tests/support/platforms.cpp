#include "support/platforms.h"

#include <pqxx/pqxx>

namespace repld::testing {

namespace {

void run_sql(const std::string& dsn, const std::string& sql) {
  pqxx::connection connection(dsn);
  pqxx::nontransaction(connection).exec(sql);
}

constexpr const char* kSupabaseRoles = R"(
create role postgres login nosuperuser createdb createrole replication bypassrls;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set search_path = "$user", public, extensions;
alter database postgres owner to postgres;
alter database postgres set statement_timeout = '2min';
)";

constexpr const char* kSupabaseObjects = R"(
create schema auth authorization supabase_admin;
create schema storage authorization supabase_admin;
create schema realtime authorization supabase_admin;
create schema extensions authorization supabase_admin;
grant usage on schema auth, extensions to postgres, anon, authenticated, service_role;
create table auth.users (id uuid primary key, email text);
create function auth.uid() returns uuid language sql stable as
  $$ select nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
grant all on schema public to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on tables to anon, authenticated, service_role;
create publication supabase_realtime;
create function extensions.notify_ddl() returns event_trigger language plpgsql as
  $$ begin perform pg_notify('pgrst', 'reload schema'); end $$;
create event trigger pgrst_ddl_watch on ddl_command_end
  execute function extensions.notify_ddl();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.notify_ddl();
)";

}  // namespace

Platform supabase_like(int version, const std::map<std::string, std::string>& settings) {
  ClusterOptions options;
  options.superuser = "supabase_admin";
  options.settings = {{"wal_level", "logical"},      {"max_replication_slots", "5"},
                      {"max_wal_senders", "5"},      {"max_slot_wal_keep_size", "512MB"},
                      {"wal_sender_timeout", "60s"}, {"timezone", "UTC"}};
  for (const auto& [name, value] : settings) {
    options.settings[name] = value;
  }
  Platform platform;
  platform.cluster = std::make_unique<PgCluster>(version, options);
  platform.user = "postgres";
  platform.database = "postgres";
  platform.dsn = platform.cluster->dsn(platform.user, platform.database);
  platform.superuser_dsn = platform.cluster->superuser_dsn(platform.database);
  run_sql(platform.superuser_dsn, kSupabaseRoles);
  run_sql(platform.superuser_dsn, kSupabaseObjects);
  return platform;
}

Platform timeweb_like(TimewebVariant variant, const std::map<std::string, std::string>& settings) {
  ClusterOptions options;
  options.superuser = "platform_admin";
  options.settings = {{"wal_level", variant == TimewebVariant::A ? "replica" : "logical"}};
  for (const auto& [name, value] : settings) {
    options.settings[name] = value;
  }
  Platform platform;
  platform.cluster = std::make_unique<PgCluster>(18, options);
  platform.user = "gen_user";
  platform.database = "default_db";
  const std::string admin = platform.cluster->superuser_dsn("postgres");
  run_sql(admin, std::string("create role gen_user login createdb createrole ") +
                     (variant == TimewebVariant::C ? "replication" : "noreplication"));
  run_sql(admin, "create database default_db owner gen_user");
  platform.dsn = platform.cluster->dsn(platform.user, platform.database);
  platform.superuser_dsn = platform.cluster->superuser_dsn(platform.database);
  return platform;
}

}  // namespace repld::testing
