// A foreign key that is set aside, and the rows that it would refuse.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/table.h"

namespace repld {

struct ForeignKey {
  TableName table;  // that has it
  std::string name;
  std::vector<std::string> columns;
  TableName referenced;
  std::vector<std::string> referenced_columns;  // parallel to columns
  bool full = false;                            // MATCH FULL
};

// `definition`: as pg_get_constraintdef prints it with an empty search_path (PostgreSQL docs,
// CREATE TABLE, "REFERENCES"). Nothing: of a kind that we do not know, as with PERIOD.
std::optional<ForeignKey> parse_foreign_key(const TableName& table, const std::string& name,
                                            std::string_view definition);

// Counts rows that reference one which is not there. Of tables with children by inheritance only
// their own rows count, as for the key. Throws Error(schema) when `referenced` lacks a column.
std::string orphan_query(const ForeignKey& key, const TargetTable& table,
                         const TargetTable& referenced);

}  // namespace repld
