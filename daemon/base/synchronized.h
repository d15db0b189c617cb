// A value and the mutex that guards it; the value can be reached in no other way.
#pragma once

#include <mutex>
#include <utility>

namespace repld {

template <typename T>
class Synchronized {
 public:
  template <typename... Args>
  explicit Synchronized(Args&&... args) : value_(std::forward<Args>(args)...) {}

  // Runs `use(value)` under the lock and returns what it returns. Keep it short; never block.
  template <typename Use>
  auto with(Use&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)(value_);
  }

  T copy() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace repld
