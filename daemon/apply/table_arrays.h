// Tables as two parallel arrays, for queries that take several at once.
#pragma once

#include <string>
#include <vector>

#include "core/array_text.h"
#include "core/table.h"

namespace repld::apply {

struct TableArrays {
  explicit TableArrays(const std::vector<TableName>& tables) {
    std::vector<std::string> of_schema;
    std::vector<std::string> of_name;
    for (const TableName& table : tables) {
      of_schema.push_back(table.schema);
      of_name.push_back(table.name);
    }
    schemas = array_text(of_schema);
    names = array_text(of_name);
  }

  std::string schemas;
  std::string names;
};

}  // namespace repld::apply
