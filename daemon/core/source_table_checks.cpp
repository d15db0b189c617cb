// Can the source's tables be published and read?
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/effects.h"
#include "core/ownership.h"
#include "core/publishing.h"
#include "core/schema_ddl.h"
#include "core/server_checks.h"
#include "core/sql_text.h"
#include "core/table_checks.h"

namespace repld {

namespace {

using schema::quoted;
using schema::Table;

Finding& add_error(const char* check, std::string what, std::string why,
                   std::vector<Finding>& findings) {
  return findings.emplace_back(
      finding_of(Severity::error, check, Side::source, std::move(what), std::move(why)));
}

bool full_usable(const std::vector<SourceTable>& tables, const TableName& name) {
  for (const SourceTable& table : tables) {
    for (const SourceLeaf& leaf : table.leaves) {
      if (leaf.name == name) {
        return leaf.full_usable;
      }
    }
  }
  return false;
}

void explain_no_wal(const Table& table, std::vector<Finding>& findings) {
  Finding& finding = add_error(
      table.unlogged ? "unlogged" : "foreign_table",
      fmt::format("partition {} is {}", table.name.full(),
                  table.unlogged ? "unlogged" : "a foreign table"),
      "Its changes are not in the WAL, while other partitions of its table stream.", findings);
  finding.sql = table.unlogged
                    ? fmt::format("alter table {} set logged;", quoted(table.name))
                    : fmt::format("alter table {} detach partition {};",
                                  quoted(table.parent.value_or(table.root)), quoted(table.name));
  finding.role = table.owner;
  finding.effect =
      table.unlogged
          ? kLocksWhileRewritten
          : fmt::format(
                "Queries of {} no longer find its rows, and new ones for it are refused. {}",
                table.parent.value_or(table.root).full(), kLocksForMoment);
  finding.action = "Or list its table in tables.exclude.";
}

void explain_no_identity(const Table& table, bool full, std::vector<Finding>& findings) {
  Finding& finding = add_error(
      "replica_identity", fmt::format("table {} has no usable replica identity", table.name.full()),
      "Once it is published, the application's own UPDATE and DELETE on it would fail.", findings);
  const std::string& index = table.identity_candidate;
  if (!index.empty() || full) {
    finding.sql = fmt::format("alter table {} replica identity {};", quoted(table.name),
                              index.empty() ? "full" : "using index " + quote_identifier(index));
    finding.role = table.owner;
    finding.effect = index.empty()
                         ? std::string("UPDATE and DELETE write the whole old row to the WAL. ") +
                               kLocksForMoment
                         : kLocksForMoment;
  }
  finding.action = finding.sql.empty()
                       ? "Give it a primary key without generated columns (FULL does not do, since "
                         "it has some), or list it in tables.exclude."
                       : "Or give it a primary key, or list it in tables.exclude.";
}

// A unique constraint says which columns would do.
void explain_no_root_key(const Table& table, std::vector<Finding>& findings) {
  Finding& finding = add_error(
      "primary_key", fmt::format("partitioned table {} has no primary key", table.name.full()),
      "A partition made later would be published at once and have no replica identity: the "
      "application's own UPDATE and DELETE on it would fail.",
      findings);
  const std::string unique = "UNIQUE (";
  for (const schema::Constraint& constraint : table.constraints) {
    if (constraint.kind == 'u' && constraint.name == table.identity_candidate &&
        constraint.definition.rfind(unique, 0) == 0) {
      finding.sql = fmt::format("alter table {} add primary key ({};", quoted(table.name),
                                constraint.definition.substr(unique.size()));
      finding.role = table.owner;
      finding.effect =
          "Nobody can read or write the table and its partitions while the index is built, and its "
          "columns take no NULL from then on.";
    }
  }
  finding.action =
      "Give it a primary key, which holds the partition key too, or list it in tables.exclude.";
}

void explain_not_owned(const Table& table, const schema::Database& source,
                       std::vector<Finding>& findings) {
  Finding& finding = add_error(
      "ownership",
      fmt::format("table {} belongs to {}, not to {}", table.name.full(), table.owner, source.user),
      "Only its owner can publish it.", findings);
  mend_ownership(table, source, finding);
  finding.action += " Or list it in tables.exclude.";
}

void check_publishing(const schema::Database& source, const std::vector<SourceTable>& tables,
                      std::vector<Finding>& findings) {
  for (const Unpublishable& each : unpublishable(tables)) {
    const Table* known = source.find_table(each.table);
    if (known == nullptr) {
      continue;  // made a moment ago
    }
    const Table& table = *known;
    switch (each.obstacle) {
      case Obstacle::no_wal: explain_no_wal(table, findings); break;
      case Obstacle::no_identity:
        explain_no_identity(table, full_usable(tables, each.table), findings);
        break;
      case Obstacle::no_root_key: explain_no_root_key(table, findings); break;
      case Obstacle::not_owned: explain_not_owned(table, source, findings); break;
    }
  }
}

void check_reading(const schema::Database& source, const std::vector<SourceTable>& tables,
                   bool publishes, std::vector<Finding>& findings) {
  for (const TableName& name : unreadable(tables, publishes)) {
    Finding& finding = add_error(
        "rights", fmt::format("table {} does not let {} read it", name.full(), source.user),
        "The first copy reads its rows.", findings);
    finding.sql =
        fmt::format("grant select on {} to {};", quoted(name), quote_identifier(source.user));
    const Table* table = source.find_table(name);
    finding.role = table == nullptr ? "" : table->owner;
  }
}

// Whole tables that the link leaves out by itself.
void check_unlogged(const schema::Database& source, const std::vector<SourceTable>& tables,
                    std::vector<Finding>& findings) {
  for (const Table& table : source.tables) {
    const bool replicated = std::any_of(tables.begin(), tables.end(), [&](const SourceTable& each) {
      return each.name == table.root;
    });
    if (replicated || !table.unlogged || table.name != table.root) {
      continue;
    }
    Finding& finding =
        findings.emplace_back(finding_of(Severity::warning, "unlogged", Side::source,
                                         fmt::format("table {} is unlogged", table.name.full()),
                                         "Its changes are not in the WAL: it is not replicated."));
    finding.sql = fmt::format("alter table {} set logged;", quoted(table.name));
    finding.role = table.owner;
    finding.effect = std::string(kLocksWhileRewritten) + " Each write takes WAL from then on.";
    finding.action = "Leave it so if its rows need not move.";
  }
}

void check_row_security(const Table& table, const schema::Database& source,
                        std::vector<Finding>& findings) {
  const std::string& user = source.user;
  if (!table.hides_rows) {
    return;
  }
  Finding& finding = findings.emplace_back(
      finding_of(Severity::error, "row_security", Side::source,
                 fmt::format("row level security of {} applies to {}", table.name.full(), user),
                 "The copy would miss the rows that its policies hide; repld refuses to read it."));
  if (table.owned && table.row_security_forced) {
    finding.sql = fmt::format("alter table {} no force row level security;", quoted(table.name));
    finding.role = table.owner;
    finding.effect = effect_of_unforced_policies(table.owner);
  } else {
    finding.sql = fmt::format("alter role {} bypassrls;", quote_identifier(user));
    finding.role = source.superuser;
    finding.effect = fmt::format(
        "No policy of any table holds for {} any more: an application that logs in as it sees all "
        "rows.",
        user);
  }
}

void check_schemas(const schema::Database& source, std::vector<Finding>& findings) {
  std::set<std::string> needed;
  for (const Table& table : source.tables) {
    needed.insert(table.name.schema);
  }
  for (const schema::Namespace& each : source.namespaces) {
    if (each.usage || needed.count(each.name) == 0) {
      continue;
    }
    Finding& finding = findings.emplace_back(finding_of(
        Severity::error, "schema", Side::source,
        fmt::format("schema {} does not let {} use its tables", each.name, source.user)));
    finding.why = "Tables of it are to be replicated.";
    finding.sql = fmt::format("grant usage on schema {} to {};", quote_identifier(each.name),
                              quote_identifier(source.user));
    finding.role = each.owner == "pg_database_owner" ? source.owner : each.owner;
  }
}

}  // namespace

std::vector<Finding> check_source_tables(const schema::Database& source,
                                         const std::vector<SourceTable>& tables, bool publishes) {
  std::vector<Finding> findings;
  check_unlogged(source, tables, findings);
  if (tables.empty()) {
    Finding& finding = add_error("tables",
                                 publishes ? "no table matches tables.include"
                                           : "no table of the publications matches tables.include",
                                 "There is nothing to replicate.", findings);
    finding.action = "Check the patterns, and the database that source.dsn names.";
    return findings;
  }
  check_schemas(source, findings);
  if (publishes) {
    check_publishing(source, tables, findings);
  }
  check_reading(source, tables, publishes, findings);
  for (const Table& table : source.tables) {
    check_row_security(table, source, findings);
  }
  if (findings.empty()) {
    findings.push_back(finding_of(
        Severity::ok, "tables", Side::source,
        fmt::format("{} tables {} published", tables.size(), publishes ? "can be" : "are")));
  }
  return findings;
}

}  // namespace repld
