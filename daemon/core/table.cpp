#include "core/table.h"

namespace repld {

bool RelationFacts::same_bounds(const RelationFacts& other) const {
  const bool hashed = constraint.find("satisfies_hash_partition") != std::string::npos;
  return bound == other.bound && (hashed || constraint == other.constraint);
}

const TargetColumn* TargetTable::find_column(const std::string& column) const {
  for (const TargetColumn& candidate : columns) {
    if (candidate.name == column) {
      return &candidate;
    }
  }
  return nullptr;
}

Error missing_table(const TableName& table) {
  Error error(ErrorKind::schema,
              fmt::format("table \"{}\" is missing on the target", table.full()));
  error.hint("Create it with the columns and the key of the source, then run replctl resume.");
  error.table(table.full());
  return error;
}

Error missing_column(const TableName& table, const std::string& column) {
  Error error(ErrorKind::schema, fmt::format("column \"{}\" of \"{}\" is missing on the target",
                                             column, table.full()));
  error.hint("Add the column to the target table, then run replctl resume.");
  error.table(table.full());
  return error;
}

}  // namespace repld
