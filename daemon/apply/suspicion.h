// What overtakes the last proof of a table: noted in repld.table_state, in the transaction in which
// rows were found otherwise than they must be, or before the one that leaves changes out.
#pragma once

#include <string>

#include "core/table.h"

namespace repld::apply {

// SQL. `table`: as repld.table_state names it.
std::string suspect_statement(const std::string& link, const TableName& table, const char* reason);

}  // namespace repld::apply
