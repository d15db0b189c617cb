// Lets time pass on a thread that must end promptly when it is told to.
#pragma once

#include <chrono>
#include <stop_token>

namespace repld {

// Returns after `duration`, or as soon as `stop` is requested.
void pause(std::chrono::milliseconds duration, const std::stop_token& stop);

}  // namespace repld
