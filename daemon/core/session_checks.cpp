// What any session of ours needs: a server that is known, rights, connections, TLS.
#include <fmt/format.h>

#include <algorithm>

#include "core/connect_advice.h"
#include "core/server_checks.h"
#include "core/sql_text.h"

namespace repld {

namespace {

constexpr int kOldestVersion = 150000;
constexpr int kNewestVersion = 190000;  // exclusive
// Control, monitor, replication or apply, doctor; and while tables are compared their reader, its
// watcher, catalogs, and those that take the fence.
constexpr int kOwnSessions = 9;
constexpr int64_t kCrowdedConnections = 10;

void check_role(const ServerFacts& facts, std::vector<Finding>& findings) {
  const Role& role = facts.role;
  std::vector<std::string> attributes;
  const auto add = [&](bool has, const char* name) {
    if (has) {
      attributes.emplace_back(name);
    }
  };
  add(role.superuser, "SUPERUSER");
  add(role.replication, "REPLICATION");
  add(role.bypasses_row_security, "BYPASSRLS");
  add(role.creates_roles, "CREATEROLE");
  add(role.creates_databases, "CREATEDB");
  findings.push_back(finding_of(
      Severity::ok, "role", facts.side,
      fmt::format(
          "role {}: {}{}", role.name,
          attributes.empty() ? "no attributes" : fmt::format("{}", fmt::join(attributes, " ")),
          role.memberships.empty()
              ? ""
              : fmt::format("; member of {}", fmt::join(role.memberships, ", "))),
      fmt::format("repld does without these: session_replication_role ({}), replication origins "
                  "({}), ending other roles' sessions ({}).",
                  facts.may_set_replication_role ? "allowed" : "refused",
                  facts.may_use_origins ? "allowed" : "refused",
                  facts.may_signal ? "allowed" : "refused")));
  const bool source = facts.side == Side::source;
  const bool lacks = source ? facts.publishes && !facts.may_create_schemas
                            : !facts.may_create_schemas && !facts.has_own_schema;
  if (lacks) {
    Finding& finding = findings.emplace_back(
        finding_of(Severity::error, "database", facts.side,
                   fmt::format("role {} may not create a {} in database {}", role.name,
                               source ? "publication" : "schema", facts.database),
                   source ? "repld makes a publication of its own there."
                          : "repld keeps its state in schema repld."));
    finding.sql = fmt::format("grant create on database {} to {};",
                              quote_identifier(facts.database), quote_identifier(role.name));
    finding.role = facts.database_owner;
  }
}

struct ConnectionLimit {
  const char* check;
  std::string object;  // as in ALTER
  std::string title;
  int64_t limit;
  int64_t used;
  std::string role;
};

// Of one role or one database, beside the server's own.
void check_connection_limit(const ConnectionLimit& one, Side side, int64_t needed,
                            std::vector<Finding>& findings) {
  if (one.limit < 0) {
    return;
  }
  const std::string what =
      fmt::format("{} is limited to {} connections, {} of them taken by others", one.title,
                  one.limit, one.used);
  if (one.limit - one.used >= needed) {
    findings.push_back(finding_of(Severity::ok, one.check, side, what));
    return;
  }
  Finding& finding = findings.emplace_back(finding_of(
      Severity::error, one.check, side, what,
      fmt::format("repld opens up to {} at once, and those beyond the limit would be refused.",
                  needed)));
  finding.sql = fmt::format("alter {} connection limit {};", one.object,
                            one.used + needed + kCrowdedConnections);
  finding.role = one.role;
  finding.effect =
      "It takes nothing from anybody, but more sessions share the server's memory and "
      "max_connections.";
  finding.action = "On a managed server set it in the panel, or ask the provider.";
}

void check_connection_limits(const ServerFacts& facts, int64_t needed,
                             std::vector<Finding>& findings) {
  if (facts.role.superuser) {
    return;  // whom no limit binds
  }
  check_connection_limit(
      {"role_connections", "role " + quote_identifier(facts.role.name), "role " + facts.role.name,
       facts.role.connection_limit, facts.role_connections, facts.superuser()},
      facts.side, needed, findings);
  check_connection_limit({"database_connections", "database " + quote_identifier(facts.database),
                          "database " + facts.database, facts.database_connection_limit,
                          facts.database_connections, facts.database_owner},
                         facts.side, needed, findings);
}

void check_connections(const ServerFacts& facts, int copy_workers, std::vector<Finding>& findings) {
  const int64_t reserved = facts.role.superuser ? 0
                                                : facts.number("superuser_reserved_connections") +
                                                      facts.number("reserved_connections");
  const int64_t free = facts.number("max_connections") - reserved - facts.connections;
  const int64_t needed = kOwnSessions + copy_workers;
  const std::string text =
      fmt::format("{} of {} connections free or repld's own ({} reserved)",
                  std::max<int64_t>(free, 0), facts.number("max_connections"), reserved);
  if (free < needed) {
    findings.push_back(finding_of(Severity::error, "connections", facts.side, text,
                                  fmt::format("repld uses up to {}.", needed)));
    findings.back().action = "End idle sessions, lower copy.workers or raise max_connections.";
  } else {
    findings.push_back(
        finding_of(free < needed + kCrowdedConnections ? Severity::warning : Severity::ok,
                   "connections", facts.side, text,
                   free < needed + kCrowdedConnections
                       ? fmt::format("repld uses up to {}; few are left for the "
                                     "applications.",
                                     needed)
                       : ""));
  }
}

void check_tls(const ServerFacts& facts, std::vector<Finding>& findings) {
  const std::string mode = facts.endpoint.sslmode.empty() ? "prefer" : facts.endpoint.sslmode;
  const std::string text =
      facts.tls ? fmt::format("{}, sslmode={}", facts.tls_version, mode) : "no TLS";
  if (is_local_host(facts.endpoint.host) || (facts.tls && mode == "verify-full")) {
    findings.push_back(finding_of(Severity::ok, "tls", facts.side, text));
    return;
  }
  Finding& finding = findings.emplace_back(
      finding_of(Severity::warning, "tls", facts.side, text,
                 facts.tls ? "Without verify-full anyone on the way can pose as the server."
                           : "Passwords and rows cross the network readable."));
  finding.action = "Add sslmode=verify-full and sslrootcert with the provider's CA to the DSN.";
}

// Each of our sessions states its own, so these are only told.
void check_hostile_settings(const ServerFacts& facts, std::vector<Finding>& findings) {
  const std::pair<const char*, const char*> kUsual[] = {
      {"statement_timeout", "0"},
      {"lock_timeout", "0"},
      {"idle_in_transaction_session_timeout", "0"},
      {"idle_session_timeout", "0"},
      {"transaction_timeout", "0"},
      {"IntervalStyle", "postgres"},
      {"default_transaction_isolation", "read committed"},
      {"standard_conforming_strings", "on"},
      {"transform_null_equals", "off"},
      {"array_nulls", "on"},
      {"exit_on_error", "off"},
      {"bytea_output", "hex"},
      {"row_security", "on"}};
  std::vector<std::string> unusual;
  for (const auto& [name, value] : kUsual) {
    const std::string there = facts.setting(name);
    if (!there.empty() && there != value) {
      unusual.push_back(fmt::format("{} = {}{}", name, there, facts.settings.at(name).unit));
    }
  }
  if (!unusual.empty()) {
    findings.push_back(finding_of(Severity::ok, "settings", facts.side,
                                  fmt::format("settings: {}", fmt::join(unusual, ", ")),
                                  "repld's sessions state their own, so these do not touch it."));
  }
}

}  // namespace

bool check_version(const ServerFacts& facts, std::vector<Finding>& findings) {
  const std::string text = "PostgreSQL " + facts.version_text;
  if (facts.version < kOldestVersion) {
    findings.push_back(finding_of(Severity::error, "version", facts.side, text,
                                  "The oldest version that repld knows is 15."));
    findings.back().action = "Upgrade the server.";
    return false;
  }
  const bool known = facts.version < kNewestVersion;
  findings.push_back(finding_of(known ? Severity::ok : Severity::warning, "version", facts.side,
                                text, known ? "" : "It is newer than what repld was tried on."));
  return true;
}

void check_session(const ServerFacts& facts, int copy_workers, std::vector<Finding>& findings) {
  const std::string pooler =
      pooler_part(facts.endpoint.host, facts.endpoint.port, facts.endpoint.user);
  if (!pooler.empty()) {
    findings.push_back(finding_of(facts.side == Side::source ? Severity::error : Severity::warning,
                                  "pooler", facts.side,
                                  "the DSN names a connection pooler: " + pooler,
                                  "A pooler does not pass replication on, and in transaction mode "
                                  "loses session state."));
    findings.back().action = "Name the server's own host, with port 5432, in the DSN.";
  }
  check_role(facts, findings);
  check_connections(facts, copy_workers, findings);
  check_connection_limits(facts, kOwnSessions + copy_workers, findings);
  check_tls(facts, findings);
  check_hostile_settings(facts, findings);
}

}  // namespace repld
