#include "core/row_clauses.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace repld {

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string only(const RowMapping& mapping) {
  return mapping.partitioned ? mapping.target : "only " + mapping.target;
}

std::string equal_to(const MappedColumn& column, const std::string& expression) {
  const std::string collate =
      column.collation.empty() ? "" : fmt::format(" collate {}", column.collation);
  if (column.equality.empty()) {
    return fmt::format("r.{}::text = {}::text{}", column.name, expression, collate);
  }
  return fmt::format("r.{} {} {}{}", column.name, column.equality, expression, collate);
}

std::vector<size_t> written_columns(const RowMapping& mapping) {
  std::vector<size_t> columns;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].written) {
      columns.push_back(i);
    }
  }
  return columns;
}

std::string insert_into(const RowMapping& mapping, const std::vector<size_t>& columns) {
  std::vector<std::string> names;
  for (const size_t i : columns) {
    names.push_back(mapping.columns[i].name);
  }
  return fmt::format("insert into {} as r ({}) overriding system value", mapping.target,
                     joined(names, ", "));
}

bool is_set(const MappedColumn& column, bool moved) {
  return column.written && (column.key ? moved : !column.identity_always);
}

bool is_fixed(const MappedColumn& column) {
  return column.written && !column.key && column.identity_always;
}

}  // namespace repld
