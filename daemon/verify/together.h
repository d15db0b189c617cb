// Runs the parts of one comparison at once, a thread each.
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

namespace repld::verify {

// Returns when all have ended. When told to stop, or when one has failed, calls `interrupt` until
// the others have ended too. Throws Error(connect) when stopped, else the first failure.
void run_together(const std::vector<std::function<void()>>& jobs,
                  const std::function<void()>& interrupt, const std::stop_token& stop);

}  // namespace repld::verify
