// Empties repld.refetch; see verify/healer.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "link/link.h"
#include "verify/repair.h"

namespace repld::verify {

struct Refetched {
  std::vector<MendedTable> tables;
  std::optional<Error> failure;  // of a table whose rows are still queued; the others are brought
};

// Brings all rows that are queued, a fence for some thousands at a time; takes none when none are.
// Throws Error when it cannot go on, after which the rest is still queued.
Refetched refetch(link::Link& link, const std::stop_token& stop);

}  // namespace repld::verify
