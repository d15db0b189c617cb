// Drift that was put into the target, and what must have become of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

namespace repld::sim {

enum class DriftKind { missing, unexpected };

// Table and identity.
using RowPlace = std::pair<size_t, std::string>;
using DriftRecords = std::map<RowPlace, DriftKind>;
// repld.refetch: rows that are to be brought from the source.
using QueuedRows = std::set<RowPlace>;

}  // namespace repld::sim
