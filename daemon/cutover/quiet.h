// What both primaries have in common when vacuums and DDL are kept away from the tables.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/sql_text.h"
#include "core/table.h"

namespace repld::cutover {

// Above deadlock_timeout, after which an autovacuum gives way.
inline constexpr std::chrono::milliseconds kQuietWait{5000};
// A daemon that hangs keeps vacuums away for so long.
inline constexpr std::chrono::seconds kQuietMax{60};

// As LOCK TABLE takes them; it locks their partitions too.
inline std::string list_of(const std::vector<TableName>& tables) {
  std::string list;
  for (const TableName& table : tables) {
    list += (list.empty() ? "" : ", ") + quote_qualified(table.schema, table.name);
  }
  return list;
}

}  // namespace repld::cutover
