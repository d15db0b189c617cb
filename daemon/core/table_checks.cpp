#include "core/table_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/schema_ddl.h"
#include "core/schema_essence.h"
#include "core/server_checks.h"
#include "core/sql_text.h"

namespace repld {

namespace {

using schema::quoted;
using schema::Table;

// Source: PostgreSQL, "B-Tree Indexes": a third of a page, less what the page itself needs.
constexpr int64_t kIndexRowBytesMax = 2704;

void check_identity(const Table& table, std::vector<Finding>& findings) {
  if (table.identity_usable) {
    return;
  }
  Finding& finding = findings.emplace_back(finding_of(
      Severity::error, "replica_identity", Side::source,
      fmt::format("table {} has no usable replica identity", table.name.full()),
      "Once it is published, the application's own UPDATE and DELETE on it would fail."));
  finding.sql = fmt::format("alter table {} replica identity {};", quoted(table.name),
                            table.identity_index.empty()
                                ? "full"
                                : "using index " + quote_identifier(table.identity_index));
  finding.role = table.owner;
  finding.action = "Or give it a primary key, or list it in tables.exclude.";
}

void check_owner(const Table& table, const std::string& user, std::vector<Finding>& findings) {
  if (table.owned) {
    return;
  }
  Finding& finding = findings.emplace_back(finding_of(
      Severity::error, "ownership", Side::source,
      fmt::format("table {} belongs to {}, not to {}", table.name.full(), table.owner, user),
      "Only its owner can publish it."));
  finding.sql =
      fmt::format("alter table {} owner to {};", quoted(table.name), quote_identifier(user));
  finding.role = table.owner;
  finding.action = "Or make our role a member of the owning one, or list it in tables.exclude.";
}

void check_row_security(const Table& table, const std::string& user, const std::string& superuser,
                        std::vector<Finding>& findings) {
  if (!table.hides_rows) {
    return;
  }
  Finding& finding = findings.emplace_back(
      finding_of(Severity::error, "row_security", Side::source,
                 fmt::format("row level security of {} applies to us", table.name.full()),
                 "The copy would miss the rows that its policies hide; repld refuses to read it."));
  if (table.owned && table.row_security_forced) {
    finding.sql = fmt::format("alter table {} no force row level security;", quoted(table.name));
    finding.role = table.owner;
  } else {
    finding.sql = fmt::format("alter role {} bypassrls;", quote_identifier(user));
    finding.role = superuser;
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
    Finding& finding = findings.emplace_back(
        finding_of(Severity::error, "schema", Side::source,
                   fmt::format("schema {} does not let us use its tables", each.name)));
    finding.why = "Tables of it are to be replicated.";
    finding.sql = fmt::format("grant usage on schema {} to {};", quote_identifier(each.name),
                              quote_identifier(source.user));
    finding.role = each.owner == "pg_database_owner" ? source.owner : each.owner;
  }
}

}  // namespace

std::vector<Finding> check_source_tables(const schema::Database& source,
                                         const std::string& superuser, bool publishes) {
  std::vector<Finding> findings;
  if (source.tables.empty()) {
    findings.push_back(finding_of(Severity::error, "tables", Side::source,
                                  publishes ? "no table matches tables.include"
                                            : "no table of the publications matches "
                                              "tables.include",
                                  "There is nothing to replicate."));
    findings.back().action = "Check the patterns, and the database that source.dsn names.";
    return findings;
  }
  check_schemas(source, findings);
  for (const Table& table : source.tables) {
    if (table.unlogged) {
      Finding& finding = findings.emplace_back(
          finding_of(Severity::warning, "unlogged", Side::source,
                     fmt::format("table {} is unlogged", table.name.full()),
                     "Its changes are not in the WAL: it is not replicated."));
      finding.sql = fmt::format("alter table {} set logged;", quoted(table.name));
      finding.role = table.owner;
      continue;
    }
    if (publishes) {
      check_owner(table, source.user, findings);
      check_identity(table, findings);
    }
    check_row_security(table, source.user, superuser, findings);
  }
  if (findings.empty()) {
    findings.push_back(finding_of(
        Severity::ok, "tables", Side::source,
        fmt::format("{} tables {} published", source.tables.size(), publishes ? "can be" : "are")));
  }
  return findings;
}

std::vector<IndexToMeasure> indexes_to_measure(const schema::Database& source,
                                               const schema::Database& target) {
  std::vector<IndexToMeasure> list;
  for (const Table& want : source.tables) {
    const Table* have = target.find_table(want.name);
    for (const schema::Index& index :
         have == nullptr ? std::vector<schema::Index>() : have->indexes) {
      const bool on_source =
          std::any_of(want.indexes.begin(), want.indexes.end(), [&](const schema::Index& each) {
            return schema::essence_of(each) == schema::essence_of(index);
          });
      IndexToMeasure measure{want.name, index.name, {}};
      for (const std::string& name : index.columns) {
        const schema::Column* column = want.find_column(name);
        if (column != nullptr && column->variable_length) {
          measure.columns.push_back(name);
        }
      }
      if (index.btree && !on_source && !measure.columns.empty()) {
        list.push_back(std::move(measure));
      }
    }
  }
  return list;
}

std::vector<Finding> check_index_rows(const IndexToMeasure& index, int64_t bytes,
                                      const std::string& role) {
  if (bytes <= kIndexRowBytesMax) {
    return {};
  }
  Finding finding = finding_of(
      Severity::error, "index_row", Side::target,
      fmt::format("index {} of {} cannot hold the source's data", index.index, index.table.full()),
      fmt::format("A row of it would take {} bytes; a btree holds {} at most.", bytes,
                  kIndexRowBytesMax));
  finding.sql = fmt::format("drop index {};", quote_qualified(index.table.schema, index.index));
  finding.role = role;
  return {finding};
}

std::vector<Finding> check_filled(const std::vector<TableName>& filled) {
  if (filled.empty()) {
    return {};
  }
  std::vector<std::string> names;
  for (const TableName& table : filled) {
    names.push_back(table.full());
  }
  Finding finding =
      finding_of(Severity::error, "not_empty", Side::target,
                 fmt::format("tables of the target hold rows: {}", fmt::join(names, ", ")),
                 "The first copy wants them empty (copy.on_nonempty = \"refuse\").");
  finding.action =
      "Empty them, list them in tables.exclude or, if they live on the target already, in a group "
      "with primary = \"target\".";
  return {finding};
}

}  // namespace repld
