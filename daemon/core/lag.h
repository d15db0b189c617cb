// Lag in seconds, by one clock: the source's.
//
// The source's clock and insert position are sampled every second. The lag is the time since the
// newest sample or commit that the target has reached, so it is 0 when nothing is pending, does
// not grow because unpublished tables are busy, and does grow while a silent stream hides new
// commits.
#pragma once

#include <cstdint>
#include <deque>

#include "core/lsn.h"

namespace repld {

class LagClock {
 public:
  // `source_us`: the source's clock, microseconds of any epoch. Neither may go back; a sample
  // that does is ignored.
  void sample(Lsn insert, int64_t source_us);

  // Lag of a target that has everything up to `reached`, when the source's clock shows `now_us`.
  // `reached_commit_us` is the commit time of its newest transaction on the same clock, 0 when
  // unknown: what is missing was committed after it, as it was after the newest sample reached.
  double seconds(Lsn reached, int64_t now_us, int64_t reached_commit_us);

  Lsn newest() const { return samples_.empty() ? Lsn::invalid : samples_.back().insert; }
  int64_t newest_us() const { return samples_.empty() ? 0 : samples_.back().source_us; }

 private:
  struct Sample {
    Lsn insert;
    int64_t source_us;
  };
  std::deque<Sample> samples_;  // ascending; the first is the newest one reached so far
};

}  // namespace repld
