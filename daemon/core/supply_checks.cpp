#include "core/supply_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/effects.h"
#include "core/schema_ddl.h"
#include "core/server_checks.h"
#include "core/sql_text.h"

namespace repld {

namespace {

using schema::Column;
using schema::Table;

const TableSupply* find_supply(const std::vector<TableSupply>& supplies, const TableName& root) {
  const auto found = std::find_if(supplies.begin(), supplies.end(),
                                  [&](const TableSupply& supply) { return supply.name == root; });
  return found == supplies.end() ? nullptr : &*found;
}

// Of the table itself; of a partitioned one below the root what its root gives.
const Supply* supply_of(const std::vector<TableSupply>& supplies, const Table& table) {
  const TableSupply* of_root = find_supply(supplies, table.root);
  if (of_root == nullptr) {
    return nullptr;
  }
  const LeafSupply* leaf = of_root->find_leaf(table.oid);
  if (leaf == nullptr) {
    leaf = of_root->find_leaf(of_root->oid);
  }
  return leaf != nullptr && leaf->supply ? &*leaf->supply : nullptr;
}

void check_conflict(const LeafSupply& leaf, std::vector<Finding>& findings) {
  if (!leaf.conflict) {
    return;
  }
  Finding& finding = findings.emplace_back(
      finding_of(Severity::error, "column_lists", Side::source,
                 fmt::format("publications {} and {} give different columns of {}",
                             leaf.conflict->first, leaf.conflict->second, leaf.name.full()),
                 "PostgreSQL does not decode changes of a table under two column lists."));
  finding.action =
      "Give both the same column list, take the table out of one, or name only one of them in "
      "link.publications.";
}

void check_operations(const Table& table, const LeafSupply& leaf, std::vector<Finding>& findings) {
  const Operations all = {true, true, true, true};
  const Operations& given = leaf.supply->operations;
  if (!(given == all)) {
    findings.push_back(
        finding_of(Severity::warning, "operations", Side::source,
                   fmt::format("of {} only {} is published", table.name.full(), to_string(given)),
                   "The target does not stay equal to the source once something else happens."));
    findings.back().action = "Leave it so if that is what is wanted.";
  }
  if ((given.updates || given.deletes) && leaf.only_inserts()) {
    Finding& finding = findings.emplace_back(
        finding_of(Severity::warning, "replica_identity", Side::source,
                   fmt::format("table {} has no usable replica identity", table.name.full()),
                   "Its publication publishes UPDATE and DELETE, so the source refuses them to the "
                   "application already; only INSERTs come."));
    finding.action =
        "Give it a primary key or REPLICA IDENTITY FULL (with a column list that holds it), unless "
        "rows are only ever added.";
  }
}

// An UPDATE that brings a row into the filter comes as an INSERT, and TOASTed values that it did
// not touch are in it only when the old row is in the WAL.
void check_filter(const Table& table, const LeafSupply& leaf, std::vector<Finding>& findings) {
  const auto may_be_large = [&](const Column& column) {
    return column.variable_length && leaf.supply->gives(column.name) &&
           std::find(leaf.identity.begin(), leaf.identity.end(), column.name) ==
               leaf.identity.end();
  };
  if (leaf.supply->filter.empty() || !leaf.supply->operations.updates ||
      std::none_of(table.columns.begin(), table.columns.end(), may_be_large)) {
    return;
  }
  Finding& finding = findings.emplace_back(finding_of(
      Severity::warning, "row_filter", Side::source,
      fmt::format("rows that enter the filter of {} may lack large values", table.name.full()),
      "The server leaves out values over about 2 kB that the UPDATE did not touch; the link pauses "
      "when such a row comes."));
  finding.sql = fmt::format("alter table {} replica identity full;", schema::quoted(table.name));
  finding.role = table.owner;
  finding.effect =
      std::string("UPDATE and DELETE write the whole old row to the WAL. ") + kLocksForMoment;
  finding.action = "Not needed where rows do not change sides, or hold no such values.";
}

void check_left_out(const Config& config, const std::vector<TableSupply>& supplies,
                    std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const TableSupply& supply : supplies) {
    if (supply.published() && !replicates_table(config, supply.name.schema, supply.name.name)) {
      names.push_back(supply.name.full());
    }
  }
  if (!names.empty()) {
    findings.push_back(finding_of(
        Severity::ok, "left_out", Side::source,
        fmt::format("published, and left out by the configuration: {}", fmt::join(names, ", ")),
        "Their changes are read and dropped."));
  }
}

}  // namespace

std::vector<Finding> check_publications(const std::vector<std::string>& missing) {
  std::vector<Finding> findings;
  for (const std::string& name : missing) {
    Finding& finding =
        findings.emplace_back(finding_of(Severity::error, "publication", Side::source,
                                         fmt::format("publication {} does not exist", name),
                                         "link.create_publication is false, so repld makes none."));
    finding.action =
        "Check link.publications and the database that source.dsn names, or create it there.";
  }
  return findings;
}

std::vector<Finding> check_supplies(const Config& config, const schema::Database& source,
                                    const std::vector<TableSupply>& supplies) {
  std::vector<Finding> findings;
  for (const TableSupply& supply : supplies) {
    for (const LeafSupply& leaf : supply.leaves) {
      check_conflict(leaf, findings);
    }
  }
  for (const Table& table : source.tables) {
    const TableSupply* supply = find_supply(supplies, table.root);
    const LeafSupply* leaf = supply == nullptr ? nullptr : supply->find_leaf(table.oid);
    if (leaf == nullptr || !leaf->leaf || !supply->published()) {
      continue;
    }
    if (!leaf->supply) {
      findings.push_back(
          finding_of(Severity::warning, "partition", Side::source,
                     fmt::format("partition {} is not published", table.name.full()),
                     "Other partitions of its table are; its rows will be missing."));
      findings.back().action = "Publish the partitioned table itself.";
      continue;
    }
    check_operations(table, *leaf, findings);
    check_filter(table, *leaf, findings);
  }
  check_left_out(config, supplies, findings);
  return findings;
}

void keep_supplied(const std::vector<TableSupply>& supplies, schema::Database& source) {
  source.tables.erase(std::remove_if(source.tables.begin(), source.tables.end(),
                                     [&](const Table& table) {
                                       const TableSupply* supply =
                                           find_supply(supplies, table.root);
                                       return supply == nullptr || !supply->published();
                                     }),
                      source.tables.end());
  for (Table& table : source.tables) {
    const Supply* supply = supply_of(supplies, table);
    if (supply == nullptr || !supply->listed) {
      continue;
    }
    const auto stays = [&](const std::string& column) { return !supply->gives(column); };
    table.columns.erase(std::remove_if(table.columns.begin(), table.columns.end(),
                                       [&](const Column& column) {
                                         return column.generated.empty() && stays(column.name);
                                       }),
                        table.columns.end());
    table.indexes.erase(std::remove_if(table.indexes.begin(), table.indexes.end(),
                                       [&](const schema::Index& index) {
                                         return std::any_of(index.columns.begin(),
                                                            index.columns.end(), stays);
                                       }),
                        table.indexes.end());
  }
}

}  // namespace repld
