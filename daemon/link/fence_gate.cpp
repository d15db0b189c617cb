#include "link/fence_gate.h"

namespace repld::link {

namespace {

constexpr std::chrono::seconds kLullWithin{2};

Error ended() { return {ErrorKind::connect, "the link stopped streaming"}; }

}  // namespace

FenceGate::FenceGate(apply::NextPart next_part, Synchronized<Flow>& flow, Wakeup& applier,
                     uint32_t baseline, size_t kept_bytes_max)
    : next_part_(std::move(next_part)),
      flow_(flow),
      applier_(applier),
      kept_bytes_max_(kept_bytes_max),
      applied_(baseline) {}

std::optional<TransactionPart> FenceGate::next() {
  const std::lock_guard lock(mutex_);
  if (inside_ || phase_ == Phase::open) {
    auto part = hand_out();
    if (!part && !inside_ && phase_ == Phase::open) {
      ++lulls_;
      changed_.notify_all();
    }
    return part;
  }
  if (phase_ == Phase::judging) {
    if (auto part = judge_next()) {
      return part;
    }
  }
  const auto durable = [&](Flow& flow) { return flow.flush_done >= flush_; };
  if (phase_ == Phase::reached && flow_.with(durable)) {
    turn(Phase::durable);
  }
  return std::nullopt;
}

std::optional<TransactionPart> FenceGate::hand_out() {
  std::optional<TransactionPart> part = kept_.empty() ? take() : std::nullopt;
  if (!kept_.empty()) {
    part = std::move(kept_.front());
    kept_.pop_front();
    kept_bytes_ -= part->bytes();
  }
  if (part) {
    inside_ = !part->last;
  }
  if (part && part->first) {
    applied_.add(part->xid);
  }
  return part;
}

// What belongs before the fence; nothing when it is reached, is out of reach, or more must arrive.
std::optional<TransactionPart> FenceGate::judge_next() {
  while (phase_ == Phase::judging) {
    if (examined_ == kept_.size() && !fetch()) {
      if (passed_idle()) {
        reach();
      }
      return std::nullopt;
    }
    const TransactionPart& part = kept_[examined_];
    if (!part.first) {
      look_ahead(FenceDecision::Step::hold_back);
      continue;
    }
    const auto step = decision_->offer(part.xid, part.commit_lsn);
    if (step == FenceDecision::Step::apply) {
      return hand_out();
    }
    look_ahead(step);
  }
  return std::nullopt;
}

void FenceGate::look_ahead(FenceDecision::Step step) {
  ++examined_;
  if (step == FenceDecision::Step::reached) {
    reach();
  } else if (step == FenceDecision::Step::retake || kept_bytes_ > kept_bytes_max_) {
    turn(Phase::blocked);
  }
}

std::optional<TransactionPart> FenceGate::take() {
  std::optional<TransactionPart> part = next_part_();
  fetched_ += part ? 1U : 0U;
  return part;
}

bool FenceGate::fetch() {
  std::optional<TransactionPart> part = take();
  if (!part) {
    return false;
  }
  kept_bytes_ += part->bytes();
  kept_.push_back(std::move(*part));
  return true;
}

// Whether a keepalive says so, and all that was sent before it has been looked at.
bool FenceGate::passed_idle() {
  const IdlePosition idle = flow_.with([](Flow& flow) { return flow.idle; });
  return idle.after_parts <= fetched_ && decision_->pass(idle.lsn) == FenceDecision::Step::reached;
}

void FenceGate::turn(Phase phase) {
  phase_ = phase;
  changed_.notify_all();
}

// The applier commits synchronously even when nothing is left to do: what it heard last may be of a
// server that has failed over since, behind a connection that only looks alive.
void FenceGate::reach() {
  turn(Phase::reached);
  flush_ = flow_.with([](Flow& flow) { return ++flow.flush_wanted; });
  applier_.notify();
}

void FenceGate::throw_if_ended() const {
  if (ended_) {
    throw ended();
  }
}

bool FenceGate::close(Clock::time_point deadline, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  do {
    changed_.wait_until(lock, stop, deadline, [&] { return ended_ || phase_ == Phase::open; });
    const uint64_t lulls = lulls_;
    applier_.notify();
    changed_.wait_until(lock, stop, std::min(deadline, Clock::now() + kLullWithin),
                        [&] { return ended_ || phase_ != Phase::open || lulls_ != lulls; });
    if (ended_ || stop.stop_requested()) {
      throw ended();
    }
    // Another fence may have been faster.
  } while (phase_ != Phase::open && Clock::now() < deadline);
  if (phase_ != Phase::open) {
    return false;
  }
  turn(Phase::closed);
  return true;
}

std::optional<uint32_t> FenceGate::unseen(const SourceSnapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  throw_if_ended();
  return applied_.unseen(snapshot);
}

bool FenceGate::try_close() {
  const std::lock_guard lock(mutex_);
  throw_if_ended();
  if (phase_ != Phase::open) {
    return false;
  }
  turn(Phase::closed);
  return true;
}

FenceGate::Judgement FenceGate::judge(const SourceSnapshot& snapshot, Lsn insert_lsn,
                                      Clock::time_point deadline, const std::stop_token& stop) {
  start_judging(snapshot, insert_lsn);
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, stop, deadline, [&] { return ended_ || verdict_now(); });
  if (ended_ || stop.stop_requested()) {
    throw ended();
  }
  return verdict_now().value_or(Judgement{});
}

void FenceGate::start_judging(const SourceSnapshot& snapshot, Lsn insert_lsn) {
  const std::lock_guard lock(mutex_);
  throw_if_ended();
  REPLD_ASSERT(phase_ == Phase::closed);
  unseen_ = applied_.unseen(snapshot);
  if (unseen_) {
    turn(Phase::blocked);
    return;
  }
  applied_.forget_seen(snapshot);
  decision_.emplace(snapshot, insert_lsn);
  examined_ = 0;
  turn(Phase::judging);
  applier_.notify();
}

std::optional<FenceGate::Judgement> FenceGate::verdict() {
  const std::lock_guard lock(mutex_);
  throw_if_ended();
  return verdict_now();
}

std::optional<FenceGate::Judgement> FenceGate::verdict_now() const {
  if (phase_ == Phase::durable) {
    return Judgement{Verdict::reached, std::nullopt};
  }
  if (phase_ == Phase::blocked) {
    return Judgement{Verdict::retake, unseen_ ? unseen_ : decision_->held_back()};
  }
  return std::nullopt;
}

void FenceGate::require_standing() {
  const std::lock_guard lock(mutex_);
  throw_if_ended();
}

void FenceGate::open() {
  const std::lock_guard lock(mutex_);
  decision_.reset();
  turn(Phase::open);
  if (!ended_) {
    applier_.notify();
  }
}

void FenceGate::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void FenceGate::seen(const SourceSnapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  // While a fence is taken, its own snapshot may be older than this one and show less.
  if (phase_ == Phase::open) {
    applied_.forget_seen(snapshot);
  }
}

}  // namespace repld::link
