// Waits for something that is due soon.
#pragma once

#include <chrono>
#include <thread>

namespace repld::testing {

// True as soon as `predicate` is, false when it is not within `timeout`.
template <typename Predicate>
bool eventually(std::chrono::milliseconds timeout, Predicate&& predicate) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= until) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

}  // namespace repld::testing
