// copy.on_nonempty = "repair": tables of the target that have rows already become what they are on
// the source by comparing and mending, instead of being copied.
#pragma once

#include <functional>
#include <stop_token>

#include "link/shared.h"

namespace repld::verify {

// The tables of `request.filled`, under its snapshot, at which the target stands still. Throws
// Error; what is mended by then stays, and the next attempt begins there.
void make_equal(const link::Settings& settings, const link::CopyRequest& request);

}  // namespace repld::verify
