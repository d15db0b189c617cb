#include "doctor/facts_reader.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "core/sql_text.h"
#include "embedded_sql.h"
#include "pg/replication_connection.h"

namespace repld::doctor {

namespace {

constexpr int kLatencySamples = 50;
constexpr int kOldTransactionSeconds = 60;
constexpr int kBlockingTransactionSeconds = 5;
constexpr int kOldestVersion = 150000;  // older ones lack functions that are asked below

std::string text(const pqxx::field& field) { return field.is_null() ? "" : field.c_str(); }

std::vector<std::string> list(const pqxx::field& field) {
  return nlohmann::json::parse(field.c_str()).get<std::vector<std::string>>();
}

std::string query(std::string_view sql) { return std::string(sql); }

void read_identity(pg::Session& session, ServerFacts& facts) {
  const auto rows = session.exec(query(sql::kServerIdentity));
  const auto row = rows[0];
  facts.role.name = text(row[0]);
  facts.role.superuser = row[1].as<bool>();
  facts.role.replication = row[2].as<bool>();
  facts.role.bypasses_row_security = row[3].as<bool>();
  facts.role.creates_roles = row[4].as<bool>();
  facts.role.creates_databases = row[5].as<bool>();
  facts.role.memberships = list(row[6]);
  facts.database = text(row[7]);
  facts.database_owner = text(row[8]);
  facts.may_create_schemas = row[9].as<bool>();
  facts.encoding = text(row[10]);
  facts.collation = text(row[11]);
  facts.character_type = text(row[12]);
  facts.locale_provider = text(row[13]);
  facts.version_text = text(row[14]);
  facts.in_recovery = row[15].as<bool>();
  facts.read_only = row[16].as<bool>();
  facts.tls = row[17].as<bool>();
  facts.tls_version = text(row[18]);
  facts.superusers = list(row[19]);
  facts.has_own_schema = row[20].as<bool>();
  facts.role.connection_limit = row[21].as<int64_t>();
  facts.database_connection_limit = row[22].as<int64_t>();
}

// From a session that pins nothing: our own would only show what they state.
void read_settings(const pg::Server& server, ServerFacts& facts) {
  pg::Session unpinned(server, pg::Purpose::unpinned);
  if (facts.in_recovery) {
    // Which a standby refuses as serializable, whatever is asked.
    unpinned.exec("set default_transaction_isolation = 'repeatable read'");
  }
  for (const auto& row : unpinned.exec(query(sql::kServerSettings))) {
    facts.settings[text(row[0])] = {text(row[1]), text(row[2]), text(row[3])};
  }
  for (const auto& row : unpinned.exec(query(sql::kReadOnlyOrigin))) {
    facts.read_only_origins.push_back({text(row[0]), text(row[1])});
  }
}

void read_load(pg::Session& session, ServerFacts& facts) {
  const auto rows = session.exec(query(sql::kServerLoad));
  facts.connections = rows[0][0].as<int64_t>();
  facts.senders = rows[0][1].as<int64_t>();
  facts.may_set_replication_role = rows[0][2].as<bool>();
  facts.may_use_origins = rows[0][3].as<bool>();
  facts.may_signal = rows[0][4].as<bool>();
  facts.large_objects = rows[0][5].as<int64_t>();
  facts.role_connections = rows[0][6].as<int64_t>();
  facts.database_connections = rows[0][7].as<int64_t>();
  for (const auto& row : session.exec(query(sql::kServerSlots))) {
    facts.slots.push_back(
        {text(row[0]), row[1].as<bool>(), text(row[2]), text(row[3]), row[4].as<int64_t>()});
  }
}

// Of pg_cron, whose table may be absent, or not ours to read.
void read_cron_jobs(pg::Session& session, ServerFacts& facts) {
  const auto readable = session.exec(
      "select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') "
      "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
      "where n.nspname = 'cron' and c.relname = 'job'");
  if (readable.empty()) {
    return;
  }
  try {
    if (readable[0][0].as<bool>()) {
      for (const auto& row : session.exec(query(sql::kServerCronJobs))) {
        facts.actors.push_back({"cron job", text(row[0]), text(row[1])});
      }
      return;
    }
  } catch (const Error& error) {
    // A policy that hides rows, as ours is not to be fooled by one.
    if (error.sqlstate() != "42501") {
      throw;
    }
  }
  facts.actors.push_back({"unseen cron jobs", "", ""});
}

void read_actors(pg::Session& session, ServerFacts& facts) {
  for (const auto& row : session.exec(query(sql::kServerActors))) {
    facts.actors.push_back({text(row[0]), text(row[1]), text(row[2])});
  }
  read_cron_jobs(session, facts);
}

}  // namespace

Endpoint endpoint_of(const pg::Server& server) {
  const pg::Parameters parameters = pg::connection_parameters(server, pg::Purpose::control);
  Endpoint endpoint;
  endpoint.host = pg::value_of(parameters, "host");
  endpoint.port = pg::value_of(parameters, "port");
  endpoint.user = pg::value_of(parameters, "user");
  endpoint.sslmode = pg::value_of(parameters, "sslmode");
  endpoint.database = pg::value_of(parameters, "dbname");
  return endpoint;
}

ServerFacts read_facts(pg::Session& session, const pg::Server& server,
                       const std::string& slot_name) {
  ServerFacts facts;
  facts.side = server.side;
  facts.endpoint = endpoint_of(server);
  facts.slot_name = slot_name;
  facts.version = session.server_version();
  if (facts.version < kOldestVersion) {
    facts.version_text = std::to_string(facts.version / 10000);
    return facts;
  }
  read_identity(session, facts);
  read_load(session, facts);
  read_settings(server, facts);
  read_actors(session, facts);
  if (!facts.in_recovery) {
    // A standby makes a slot once its primary says what runs there, which may be never.
    facts.trial = try_replication(server);
  }
  const int age =
      facts.trial.sqlstate == "55P03" ? kBlockingTransactionSeconds : kOldTransactionSeconds;
  for (const auto& row : session.exec_params(query(sql::kServerTransactions), age)) {
    facts.transactions.push_back(
        {row[0].as<int>(), text(row[1]), text(row[2]), row[3].as<int64_t>(), row[4].as<bool>()});
  }
  return facts;
}

ReplicationTrial try_replication(const pg::Server& server) {
  ReplicationTrial trial;
  try {
    pg::ReplicationConnection connection(server);
    connection.exec(fmt::format("set lock_timeout = '{}s'", kBlockingTransactionSeconds));
    connection.identify_system();
    connection.exec(
        fmt::format("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT",
                    quote_identifier(fmt::format("repld_doctor_{}", connection.backend_pid()))));
    trial.passed = true;
  } catch (const Error& error) {
    trial.sqlstate = error.sqlstate();
    trial.message = error.detail().empty() ? error.what() : error.detail();
    trial.hint = error.hint();
  }
  return trial;
}

Latency measure_latency(pg::Session& session) {
  using Clock = std::chrono::steady_clock;
  const auto time_of = [&](const std::string& sql) {
    std::vector<double> samples;
    for (int i = 0; i < kLatencySamples; ++i) {
      const auto begun = Clock::now();
      session.exec(sql);
      samples.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
    }
    return timing_of(std::move(samples));
  };
  Latency latency;
  latency.side = session.side();
  latency.round_trip = time_of("");  // answered without being planned or run
  latency.query = time_of(query(sql::kSmallQuery));
  return latency;
}

}  // namespace repld::doctor
