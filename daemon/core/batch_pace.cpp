#include "core/batch_pace.h"

#include <algorithm>

namespace repld {

BatchPace::BatchPace(const BatchLimits& most)
    : most_(most),
      limits_{std::min(kRowsMin, most.rows_max), std::min(kBytesMin, most.bytes_max)} {}

void BatchPace::committed(const Batch& batch, double seconds) {
  const bool large = batch.rows >= limits_.rows_max / 2 || batch.bytes >= limits_.bytes_max / 2;
  if (large && seconds < kQuickSeconds) {
    limits_.rows_max = std::min(most_.rows_max, limits_.rows_max * 2);
    limits_.bytes_max = std::min(most_.bytes_max, limits_.bytes_max * 2);
  } else if (seconds > kSlowSeconds) {
    limits_.rows_max = std::max(std::min(kRowsMin, most_.rows_max), limits_.rows_max / 2);
    limits_.bytes_max = std::max(std::min(kBytesMin, most_.bytes_max), limits_.bytes_max / 2);
  }
}

}  // namespace repld
