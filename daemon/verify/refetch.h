// Empties repld.refetch; see verify/healer.
#pragma once

#include <stop_token>
#include <vector>

#include "link/link.h"
#include "verify/repair.h"

namespace repld::verify {

// Brings all rows that are queued, a fence for some thousands at a time; takes none when none are.
// Returns what it brought. Throws Error, after which the rest is still queued.
std::vector<MendedTable> refetch(link::Link& link, const std::stop_token& stop);

}  // namespace repld::verify
