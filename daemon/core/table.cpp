#include "core/table.h"

#include "core/sql_text.h"

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

void require_no_loss(const TableName& table, const TargetColumn& column, const TypeShape& type) {
  const auto loss = column.generated ? std::nullopt : loss_of(type, column.full_type);
  if (!loss) {
    return;
  }
  Error error(ErrorKind::schema,
              fmt::format("column \"{}\" of \"{}\": {} on the source does not fit {} on the target",
                          column.name, table.full(), loss->source, loss->target));
  error.detail("Values would be written otherwise there, and nothing would say so.");
  if (type.name == column.full_type.name) {
    error.hint("Make type {} on the target as it is on the source, then run replctl resume.",
               type.name);
  } else {
    error.hint(
        "Run on the target: alter table {} alter column {} type {} using {}; then "
        "replctl resume and, if the link has run before, replctl verify.",
        quote_qualified(table.schema, table.name), quote_identifier(column.name), type.name,
        recast(quote_identifier(column.name), column.full_type.name, type.name));
  }
  throw error.table(table.full());
}

}  // namespace repld
