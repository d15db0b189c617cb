// How large the batches may be, so that each is over in about a second whatever the target does.
//
// A batch that takes longer than the time until the next failure is never finished: it would be
// sent again for ever while the slot holds the source's WAL. So a session begins with small
// batches, and they grow as long as the target keeps up: a backlog soon goes in large ones.
//
// Time is an argument: seconds. Not thread-safe. Does no I/O.
#pragma once

#include "core/batch.h"

namespace repld {

class BatchPace {
 public:
  static constexpr size_t kRowsMin = 250;
  static constexpr size_t kBytesMin = size_t{256} << 10;
  static constexpr double kQuickSeconds = 1;  // below this they may grow
  static constexpr double kSlowSeconds = 4;   // above this they shrink

  explicit BatchPace(const BatchLimits& most);

  const BatchLimits& limits() const { return limits_; }
  // A batch was committed, this long after it was sent. A small one says nothing of large ones.
  void committed(const Batch& batch, double seconds);

 private:
  const BatchLimits most_;
  BatchLimits limits_;
};

}  // namespace repld
