// What tables and databases take on disk.
#pragma once

#include <map>
#include <vector>

#include "core/finding.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::doctor {

using TableBytes = std::map<TableName, int64_t>;

// Of those of these tables that are there. Waits for who has locked one as a whole.
TableBytes read_sizes(pg::Session& session, const std::vector<SourceTable>& tables);
std::vector<TableSize> sizes_of(const TableBytes& source, const TableBytes& target);

int64_t read_database_size(pg::Session& session);

}  // namespace repld::doctor
