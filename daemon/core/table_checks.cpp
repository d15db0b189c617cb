#include "core/table_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/effects.h"
#include "core/schema_essence.h"
#include "core/server_checks.h"
#include "core/sql_text.h"

namespace repld {

namespace {

using schema::Table;

// Source: PostgreSQL, "B-Tree Indexes": a third of a page, less what the page itself needs.
constexpr int64_t kIndexRowBytesMax = 2704;

}  // namespace

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
      IndexToMeasure measure{
          want.name, index.name, {}, have->owned ? target.user : have->owner, index.of_constraint};
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

std::vector<Finding> check_index_rows(const IndexToMeasure& index, int64_t bytes) {
  if (bytes <= kIndexRowBytesMax) {
    return {};
  }
  Finding finding = finding_of(
      Severity::error, "index_row", Side::target,
      fmt::format("index {} of {} cannot hold the source's data", index.index, index.table.full()),
      fmt::format("A row of it would take {} bytes; a btree holds {} at most.", bytes,
                  kIndexRowBytesMax));
  const TableName& table = index.table;
  finding.sql =
      index.of_constraint
          ? fmt::format("alter table {} drop constraint {};",
                        quote_qualified(table.schema, table.name), quote_identifier(index.index))
          : fmt::format("drop index {};", quote_qualified(table.schema, index.index));
  finding.role = index.role;
  finding.effect = fmt::format(
      "What it kept unique, if anything, is no longer kept so, and queries of {} that used it "
      "become slower. {}",
      table.full(), kLocksForMoment);
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
