// Drift that was put into the target, and what must have become of it.
#pragma once

#include <map>
#include <string>
#include <utility>

namespace repld::sim {

enum class DriftKind { missing, unexpected };

// By table and identity of the row.
using DriftRecords = std::map<std::pair<size_t, std::string>, DriftKind>;

}  // namespace repld::sim
