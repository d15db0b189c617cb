// What tables and databases take on disk.
#pragma once

#include <vector>

#include "core/cost_checks.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::doctor {

// Of these tables on both sides.
std::vector<TableSize> read_sizes(pg::Session& source, pg::Session& target,
                                  const std::vector<SourceTable>& tables);

int64_t read_database_size(pg::Session& session);

}  // namespace repld::doctor
