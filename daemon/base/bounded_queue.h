// A queue between two threads, bounded by bytes.
//
// Neither side blocks here: each sits in its own poll() and is woken through its Wakeup, the
// consumer when something arrives, the producer when there is room again. An item larger than
// the bound enters an empty queue, so that nothing can get stuck.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/wakeup.h"

namespace repld {

template <typename T>
class BoundedQueue {
 public:
  // Borrows both wakeups for its lifetime.
  BoundedQueue(size_t bytes_max, Wakeup& producer, Wakeup& consumer)
      : bytes_max_(bytes_max), producer_(producer), consumer_(consumer) {}

  // Moves from `item` and returns true, or leaves it alone when there is no room.
  bool try_push(T& item, size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      if (!items_.empty() && bytes_ + bytes > bytes_max_) {
        return false;
      }
      items_.emplace_back(std::move(item), bytes);
      bytes_ += bytes;
    }
    consumer_.notify();
    return true;
  }

  std::optional<T> try_pop() {
    std::optional<T> item;
    {
      const std::lock_guard lock(mutex_);
      if (items_.empty()) {
        return item;
      }
      item.emplace(std::move(items_.front().first));
      bytes_ -= items_.front().second;
      items_.pop_front();
    }
    producer_.notify();
    return item;
  }

  bool empty() const {
    const std::lock_guard lock(mutex_);
    return items_.empty();
  }

 private:
  const size_t bytes_max_;
  Wakeup& producer_;
  Wakeup& consumer_;
  mutable std::mutex mutex_;
  std::deque<std::pair<T, size_t>> items_;  // guarded by mutex_
  size_t bytes_ = 0;                        // guarded by mutex_
};

}  // namespace repld
