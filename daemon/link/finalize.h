// Ends a link for good: slot and publication on the source, guard, journal and state on the
// target; then looks that nothing is left.
//
// Source first: if we die in between, the target still says that there is a link, and running it
// again ends the rest. Every step may be repeated.
#pragma once

#include <stop_token>

#include "link/shared.h"

namespace repld::link {

// Throws Error; refused when another daemon owns the link or something stayed behind.
void finalize(Shared& shared, const std::stop_token& stop);

}  // namespace repld::link
