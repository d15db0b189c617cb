// The machine's clock, as status and events show it.
#pragma once

#include <chrono>

namespace repld {

// Seconds since 1970, with fractions.
inline double now_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace repld
