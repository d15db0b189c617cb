// The guard of partitions that somebody makes or attaches while the table is a replica: a row
// trigger on the partitioned table, which they inherit. For the old primary, where the
// application's own jobs may go on making partitions; on a target that is filled it would be asked
// about each row.
#pragma once

#include <string>
#include <vector>

#include "core/table.h"
#include "pg/session.h"

namespace repld::apply {

std::string row_guard_name(const std::string& link);
// Of all guards of a link, as an array of PostgreSQL.
std::string guard_names(const std::string& link);

// SQL that puts it on those of `tables` that are partitioned; empty: all have it. `arguments`: of
// the trigger's function.
std::string row_guard_script(pqxx::transaction_base& transaction,
                             const std::vector<TableName>& tables, const std::string& link,
                             const std::string& nonce, const std::string& arguments);

}  // namespace repld::apply
