// What tables of the source are made of: columns, files, partitions. A change of these may stream
// nothing and yet change rows, so a proof holds only while the shape is the one that was proven.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

// By oid; a table that is gone has none.
using Shapes = std::map<uint32_t, std::string>;

// As the transaction's snapshot shows them.
Shapes read_shapes(pqxx::transaction_base& source, const std::vector<uint32_t>& tables);

// Marks proofs in the status whose table has another shape now; whether one was marked.
bool watch_shapes(Shared& shared, pg::Session& source);

}  // namespace repld::link
