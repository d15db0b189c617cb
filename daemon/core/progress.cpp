#include "core/progress.h"

#include <algorithm>

#include "core/error.h"

namespace repld {

void Progress::receive(Lsn lsn) { received_ = std::max(received_, lsn); }

void Progress::apply(Lsn lsn) {
  REPLD_ASSERT(lsn <= received_);
  applied_ = std::max(applied_, lsn);
}

void Progress::make_durable(Lsn lsn) {
  REPLD_ASSERT(lsn <= applied_);
  durable_ = std::max(durable_, lsn);
}

void Progress::confirm(Lsn lsn) {
  REPLD_ASSERT(lsn <= durable_);
  confirmed_ = std::max(confirmed_, lsn);
}

namespace {

// Each bound, time and bytes, is cut into this many steps; samples within one step of both are
// merged, so at most about twice as many are held.
constexpr int64_t kStepsPerBound = 500;

}  // namespace

ConfirmMargin::ConfirmMargin(int64_t margin_ms, uint64_t bytes_max)
    : margin_ms_(margin_ms), bytes_max_(bytes_max) {
  REPLD_ASSERT(margin_ms >= 0);
}

void ConfirmMargin::durable(Lsn lsn, int64_t now_ms) {
  REPLD_ASSERT(lsn >= (samples_.empty() ? confirmable_ : samples_.back().lsn));
  REPLD_ASSERT(samples_.empty() || now_ms >= samples_.back().since_ms);
  if (!samples_.empty() && lsn == samples_.back().lsn) {
    return;  // it has been durable since the earlier call
  }
  if (!samples_.empty() && same_step(samples_.back(), {lsn, now_ms})) {
    samples_.back() = {lsn, now_ms};
  } else {
    samples_.push_back({lsn, now_ms});
  }
  release(now_ms);
}

Lsn ConfirmMargin::confirmable(int64_t now_ms) {
  release(now_ms);
  return confirmable_;
}

// Steps lie on a fixed grid. Were they measured from the newest sample, whose time moves with
// every merge, a busy stream would merge for ever and nothing would grow old enough.
bool ConfirmMargin::same_step(const Sample& a, const Sample& b) const {
  const int64_t step_ms = std::max<int64_t>(margin_ms_ / kStepsPerBound, 1);
  const uint64_t step_bytes = std::max<uint64_t>(bytes_max_ / kStepsPerBound, 1);
  return a.since_ms / step_ms == b.since_ms / step_ms &&
         static_cast<uint64_t>(a.lsn) / step_bytes == static_cast<uint64_t>(b.lsn) / step_bytes;
}

void ConfirmMargin::release(int64_t now_ms) {
  while (!samples_.empty()) {
    const Sample& oldest = samples_.front();
    const bool old_enough = now_ms - oldest.since_ms >= margin_ms_;
    const bool far_enough = bytes_between(oldest.lsn, samples_.back().lsn) >= bytes_max_;
    if (!old_enough && !far_enough) {
      return;
    }
    confirmable_ = oldest.lsn;
    samples_.pop_front();
  }
}

}  // namespace repld
