#include "core/fence.h"

#include <algorithm>
#include <utility>

namespace repld {

void AppliedXids::add(uint32_t xid) {
  xids_.push_back(xid);
  if (xids_.size() <= kept_max_) {
    return;
  }
  for (const uint32_t kept : xids_) {
    baseline_ = xid_precedes(kept, baseline_) ? baseline_ : kept + 1;
  }
  xids_.clear();
}

void AppliedXids::forget_seen(const SourceSnapshot& snapshot) {
  // Else a session would outlive what can be compared with its baseline.
  baseline_ = xid_precedes(baseline_, snapshot.xmin()) ? snapshot.xmin() : baseline_;
  xids_.erase(
      std::remove_if(xids_.begin(), xids_.end(), [&](uint32_t xid) { return snapshot.sees(xid); }),
      xids_.end());
}

std::optional<uint32_t> AppliedXids::unseen(const SourceSnapshot& snapshot) const {
  if (xid_precedes(snapshot.xmin(), baseline_)) {
    return snapshot.xmin();
  }
  const auto found =
      std::find_if(xids_.begin(), xids_.end(), [&](uint32_t xid) { return !snapshot.sees(xid); });
  return found == xids_.end() ? std::nullopt : std::optional(*found);
}

FenceDecision::FenceDecision(SourceSnapshot snapshot, Lsn insert_lsn)
    : snapshot_(std::move(snapshot)), insert_lsn_(insert_lsn) {}

FenceDecision::Step FenceDecision::offer(uint32_t xid, Lsn commit_lsn) {
  if (commit_lsn >= insert_lsn_) {
    return Step::reached;
  }
  if (snapshot_.sees(xid)) {
    return held_back_ ? Step::retake : Step::apply;
  }
  held_back_ = held_back_.value_or(xid);
  return Step::hold_back;
}

FenceDecision::Step FenceDecision::pass(Lsn position) const {
  return position >= insert_lsn_ ? Step::reached : Step::hold_back;
}

}  // namespace repld
