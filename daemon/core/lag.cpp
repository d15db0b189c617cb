#include "core/lag.h"

#include <algorithm>

namespace repld {

namespace {

constexpr size_t kSamplesMax = 100'000;  // more than a day

}  // namespace

void LagClock::sample(Lsn insert, int64_t source_us) {
  if (!samples_.empty() &&
      (insert < samples_.back().insert || source_us < samples_.back().source_us)) {
    return;
  }
  if (samples_.size() > 1 && insert == samples_.back().insert &&
      insert == samples_[samples_.size() - 2].insert) {
    samples_.back().source_us = source_us;
    return;
  }
  if (samples_.size() == kSamplesMax) {
    samples_.erase(samples_.begin() + kSamplesMax / 2);
  }
  samples_.push_back({insert, source_us});
}

double LagClock::seconds(Lsn reached, int64_t now_us, int64_t reached_commit_us) {
  while (samples_.size() > 1 && samples_[1].insert <= reached) {
    samples_.pop_front();
  }
  if (samples_.empty() || samples_.back().insert <= reached) {
    return 0;
  }
  int64_t since_us = samples_.front().source_us;
  if (reached_commit_us != 0) {
    const bool sampled = samples_.front().insert <= reached;
    since_us =
        sampled ? std::max(since_us, reached_commit_us) : std::min(since_us, reached_commit_us);
  }
  return static_cast<double>(std::max<int64_t>(now_us - since_us, 0)) / 1e6;
}

}  // namespace repld
