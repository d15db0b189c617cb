#include "core/server_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/sql_text.h"

namespace repld {

namespace {

// Who may undo all of them: a role its own, an owner what its database says, a superuser the rest.
std::string resetting_role(const ServerFacts& facts) {
  std::string all;
  for (const ReadOnlyOrigin& origin : facts.read_only_origins) {
    const std::string one = !origin.role.empty()      ? facts.role.name
                            : origin.database.empty() ? facts.superuser()
                                                      : facts.database_owner;
    if (!all.empty() && one != all) {
      return facts.superuser();
    }
    all = one;
  }
  return all;
}

void check_read_only(const ServerFacts& facts, std::vector<Finding>& findings) {
  if (facts.in_recovery) {
    Finding& finding = findings.emplace_back(finding_of(
        Severity::error, "read_only", facts.side, "the server is a standby",
        facts.side == Side::target ? "Nothing can be written to it."
                                   : "Its snapshots and positions are not those of the primary."));
    finding.action = "Name the primary; target_session_attrs=read-write with several hosts does.";
    return;
  }
  if (!facts.read_only) {
    return;
  }
  Finding& finding = findings.emplace_back(
      finding_of(Severity::error, "read_only", facts.side, "transactions begin read-only",
                 "default_transaction_read_only is on: a full disk's guard, or someone's switch."));
  if (facts.read_only_origins.empty()) {
    finding.action =
        "Turn default_transaction_read_only off in the server's configuration or panel; a "
        "provider turns it on when the disk is full.";
    return;
  }
  // The session that resets it would be read-only itself.
  finding.sql = "begin read write;\n";
  for (const ReadOnlyOrigin& origin : facts.read_only_origins) {
    const std::string in_database =
        origin.database.empty() ? "" : " in database " + quote_identifier(origin.database);
    const bool of_database = origin.role.empty() && !origin.database.empty();
    const std::string whose = of_database ? "database " + quote_identifier(origin.database)
                              : origin.role.empty()
                                  ? "role all"
                                  : "role " + quote_identifier(origin.role) + in_database;
    finding.sql += fmt::format("alter {} reset default_transaction_read_only;\n", whose);
  }
  finding.sql += "commit;";
  finding.role = resetting_role(facts);
  finding.effect =
      "Sessions that begin later may write again, which whoever set it, or a guard against a full "
      "disk, meant to prevent.";
}

}  // namespace

Finding finding_of(Severity severity, const char* check, Side side, std::string what,
                   std::string why) {
  Finding finding;
  finding.severity = severity;
  finding.check = check;
  finding.side = side;
  finding.what = std::move(what);
  finding.why = std::move(why);
  return finding;
}

std::vector<Finding> check_source(const ServerFacts& facts, int copy_workers) {
  std::vector<Finding> findings;
  if (!check_version(facts, findings)) {
    return findings;
  }
  check_session(facts, copy_workers, findings);
  check_read_only(facts, findings);
  check_decoding(facts, findings);
  if (facts.large_objects > 0) {
    findings.push_back(finding_of(Severity::warning, "large_objects", facts.side,
                                  fmt::format("{} large objects", facts.large_objects),
                                  "Logical replication does not carry them: copy them apart."));
  }
  check_actors(facts, findings);
  return findings;
}

std::vector<Finding> check_target(const ServerFacts& facts, int copy_workers) {
  std::vector<Finding> findings;
  if (!check_version(facts, findings)) {
    return findings;
  }
  check_session(facts, copy_workers, findings);
  check_read_only(facts, findings);
  check_decoding(facts, findings);
  check_actors(facts, findings);
  return findings;
}

std::vector<Finding> check_locales(const ServerFacts& source, const ServerFacts& target) {
  std::vector<Finding> findings;
  if (source.encoding != target.encoding && target.encoding != "UTF8") {
    findings.push_back(
        finding_of(Severity::error, "encoding", Side::target,
                   fmt::format("encoding {}, on the source {}", target.encoding, source.encoding),
                   "Characters that the target's encoding lacks would be refused."));
    findings.back().action = "Make the target's database with ENCODING 'UTF8' TEMPLATE template0.";
  } else {
    findings.push_back(finding_of(Severity::ok, "encoding", Side::target,
                                  fmt::format("encoding {}", target.encoding)));
  }
  const auto locale = [](const ServerFacts& facts) {
    const std::string provider = facts.locale_provider == "i"   ? "ICU"
                                 : facts.locale_provider == "b" ? "builtin"
                                                                : "libc";
    return fmt::format("{} / {} ({})", facts.collation, facts.character_type, provider);
  };
  const bool same = locale(source) == locale(target);
  findings.push_back(finding_of(
      same ? Severity::ok : Severity::warning, "collation", Side::target,
      fmt::format("collation {}{}", locale(target), same ? "" : ", source " + locale(source)),
      same ? "" : "Text sorts otherwise, and lower() and upper() may differ; rows stay equal."));
  return findings;
}

}  // namespace repld
