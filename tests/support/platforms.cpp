#include "support/platforms.h"

#include <cstdlib>
#include <pqxx/pqxx>
#include <stdexcept>

#include "support/server_user.h"

namespace repld::testing {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool wished(const char* name) { return environment(name) == "1"; }

int source_version() {
  const std::string version = environment("REPLD_TEST_SOURCE");
  return version.empty() ? 15 : std::stoi(version);
}

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

const std::map<std::string, std::string> kHostile = {
    {"statement_timeout", "400ms"},
    {"lock_timeout", "100ms"},
    {"idle_session_timeout", "700ms"},
    {"idle_in_transaction_session_timeout", "300ms"},
    {"timezone", "Europe/Moscow"},
    {"datestyle", "SQL, DMY"},
    {"intervalstyle", "iso_8601"},
    {"extra_float_digits", "-10"},
    {"bytea_output", "escape"},
    {"lc_monetary", "C.UTF-8"},
    {"xmloption", "document"},
    {"default_transaction_isolation", "serializable"},
    {"default_transaction_deferrable", "on"},
    {"standard_conforming_strings", "off"},
    {"transform_null_equals", "on"},
    {"array_nulls", "off"},
    {"exit_on_error", "on"},
    {"synchronous_commit", "off"},
    {"row_security", "on"},
    {"backslash_quote", "off"},
    {"quote_all_identifiers", "on"},
};
const std::map<std::string, std::string> kHostileSince17 = {{"transaction_timeout", "450ms"}};

// The test's own sessions are not what is tried: they keep the server's defaults.
constexpr const char* kShield =
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0 "
    "-c idle_in_transaction_session_timeout=0 -c timezone=UTC -c datestyle=ISO "
    "-c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex "
    "-c xmloption=content -c default_transaction_isolation=read\\\\ committed "
    "-c default_transaction_deferrable=off -c standard_conforming_strings=on "
    "-c transform_null_equals=off -c array_nulls=on -c exit_on_error=off "
    "-c synchronous_commit=on -c backslash_quote=safe_encoding -c quote_all_identifiers=off";
constexpr const char* kShieldSince17 = " -c transaction_timeout=0";

std::string shield(const PgCluster& cluster) {
  return std::string(" options='") + kShield + (cluster.version() >= 17 ? kShieldSince17 : "") +
         "'";
}

std::string customer_dsn(const Platform& platform, int port) {
  std::string dsn =
      "port=" + std::to_string(port) + " user=" + platform.user + " dbname=" + platform.database;
  if (platform.authority == nullptr) {
    return "host=127.0.0.1 " + dsn;
  }
  return std::string("host=") + kServerName + " hostaddr=127.0.0.1 " + dsn +
         " password=" + quote_dsn_value(platform.password) +
         " sslmode=verify-full sslrootcert=" + platform.authority->root_path();
}

void set_dsns(Platform& platform) {
  platform.dsn = customer_dsn(platform, platform.cluster->port());
  platform.remote_dsn = customer_dsn(platform, platform.remote_port());
  if (wished("REPLD_TEST_HOSTILE")) {
    platform.dsn += shield(*platform.cluster);
  }
}

// What the environment asks for, on a platform that stands.
void finish(Platform& platform) {
  if (round_trip().count() > 0) {
    platform.proxy = std::make_unique<TcpProxy>(platform.cluster->port(), round_trip() / 2);
  }
  set_dsns(platform);
  if (replica_role_granted()) {
    run_sql(platform.superuser_dsn,
            "grant set on parameter session_replication_role to " + platform.user);
  }
  if (wished("REPLD_TEST_TLS")) {
    require_tls(platform);
  }
  if (wished("REPLD_TEST_HOSTILE")) {
    make_hostile(platform);
    platform.superuser_dsn += shield(*platform.cluster);
  }
}

}  // namespace

std::string quote_dsn_value(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + "'";
}

void make_hostile(const Platform& platform) {
  std::map<std::string, std::string> settings = kHostile;
  if (platform.cluster->version() >= 17) {
    settings.insert(kHostileSince17.begin(), kHostileSince17.end());
  }
  std::string sql;
  for (const auto& [name, value] : settings) {
    sql += "alter database " + platform.database + " set " + name + " = '" + value + "';";
  }
  run_sql(platform.superuser_dsn, sql);
}

void require_tls(Platform& platform) {
  const std::string directory = platform.cluster->directory() + "/tls";
  must_run({"mkdir", "-m", "0755", directory});
  platform.authority = std::make_unique<CertificateAuthority>(directory);
  platform.password = kWildPassword;
  {
    pqxx::connection connection(platform.superuser_dsn);
    pqxx::nontransaction session(connection);
    session.exec("set standard_conforming_strings = on; alter role " + platform.user +
                 " password " + session.quote(platform.password));
  }
  platform.cluster->use_certificate(platform.authority->issue(kServerName));
  platform.cluster->admit({"hostssl all all all scram-sha-256"});
  set_dsns(platform);
}

void take_slots(const Platform& platform, int count) {
  for (int i = 0; i < count; ++i) {
    run_sql(platform.superuser_dsn, "select pg_create_logical_replication_slot('foreign_" +
                                        std::to_string(i) + "', 'test_decoding')");
  }
}

std::chrono::milliseconds round_trip() {
  const std::string given = environment("REPLD_TEST_RTT_MS");
  return std::chrono::milliseconds(given.empty() ? 0 : std::stoi(given));
}

bool replica_role_granted() { return wished("REPLD_TEST_REPLICA_ROLE"); }

TimewebVariant timeweb_variant() {
  const std::string name = environment("REPLD_TEST_TARGET");
  if (name.empty() || name == "A") {
    return TimewebVariant::A;
  }
  if (name != "B" && name != "C") {
    throw std::runtime_error("REPLD_TEST_TARGET must be A, B or C");
  }
  return name == "B" ? TimewebVariant::B : TimewebVariant::C;
}

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
  platform.cluster =
      std::make_unique<PgCluster>(version == 0 ? source_version() : version, options);
  platform.user = "postgres";
  platform.database = "postgres";
  platform.superuser_dsn = platform.cluster->superuser_dsn(platform.database);
  run_sql(platform.superuser_dsn, kSupabaseRoles);
  if (platform.cluster->version() >= 17) {
    run_sql(platform.superuser_dsn, "grant pg_create_subscription to postgres");
  }
  run_sql(platform.superuser_dsn, kSupabaseObjects);
  finish(platform);
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
  platform.superuser_dsn = platform.cluster->superuser_dsn(platform.database);
  finish(platform);
  return platform;
}

}  // namespace repld::testing
