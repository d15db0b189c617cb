// Ends a link for good: slot and publication on the source, state, guard and journal on the
// target; then looks that nothing is left.
//
// Order, each step durable before the next, and each may be repeated:
//   1 slot and publication    nothing can stream any more
//   2 progress row and state  a restart, ours or another daemon's, cannot take the link up again
//   3 guard, journal          see apply/restoration; found by the link's name
// A crash before 2 leaves a link without a slot, which says so; after 2 a set-up, which refuses to
// begin on tables that are not empty. Running it again ends the rest in both cases. Without a
// progress row (after 2, or lost) nothing on the source can be proven to be ours: it is left, and
// told.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "link/shared.h"

namespace repld::link {

// `source_gone`: does not ask the source. Returns what may still be there of the link, for people.
// Throws Error; refused when stopped before the end, when another daemon owns the link or when
// something stayed behind.
std::vector<std::string> finalize(Shared& shared, bool source_gone, const std::stop_token& stop);

}  // namespace repld::link
