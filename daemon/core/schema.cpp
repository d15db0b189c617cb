#include "core/schema.h"

#include <algorithm>

namespace repld::schema {

const Column* Table::find_column(const std::string& column) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& each) { return each.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

const Table* Database::find_table(const TableName& name) const {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const Table& each) { return each.name == name; });
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace repld::schema
