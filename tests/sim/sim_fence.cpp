#include "sim/sim_fence.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/checks.h"

namespace repld::sim {

using Verdict = link::FenceGate::Verdict;

namespace {

constexpr uint64_t kRetakePauseMs = 500;

Error gone(const char* server) {
  return {ErrorKind::connect, fmt::format("the connection to the {} is gone", server)};
}

}  // namespace

SimFence::SimFence(FakeSource& source, const FakeTarget& target,
                   std::shared_ptr<link::FenceGate> gate, const FenceTerms& terms,
                   const Outages& outages, int64_t now_ms)
    : source_(source),
      target_(target),
      gate_(std::move(gate)),
      terms_(terms),
      connected_(outages),
      give_up_at_ms_(now_ms + terms.give_up_after_ms) {}

void SimFence::release() {
  if (closed_) {
    closed_ = false;
    gate_->open();
  }
}

void SimFence::require_source(const Outages& outages) const {
  if (outages.source != connected_.source) {
    throw gone("source");
  }
}

void SimFence::require_target(const Outages& outages) const {
  if (outages.target != connected_.target) {
    throw gone("target");
  }
}

bool SimFence::step(const Outages& outages, int64_t now_ms, Random& random) {
  switch (at_) {
    case At::close:
      require_source(outages);
      if (now_ms >= not_before_ms_ && gate_->try_close()) {
        closed_ = true;
        judged_by_ms_ = now_ms + terms_.pause_max_ms;
        at_ = At::snapshot;
      }
      break;
    case At::snapshot:
      require_source(outages);
      snapshot_ = source_.snapshot();
      at_ = At::position;
      break;
    case At::position:
      require_source(outages);
      insert_lsn_ = source_.insert_lsn();
      at_ = At::marker;
      break;
    case At::marker:
      require_source(outages);
      source_.emit_marker(random);
      gate_->start_judging(SourceSnapshot::parse(snapshot_.text), insert_lsn_);
      at_ = At::judging;
      break;
    case At::judging:
      if (const auto verdict = gate_->verdict()) {
        judged(*verdict, now_ms, random);
      } else if (now_ms >= judged_by_ms_) {
        judged({}, now_ms, random);
      }
      break;
    case At::target_snapshot:
      require_target(outages);
      transactions_ = source_.count_until(target_.current().progress);
      transactions_durable_ = source_.count_until(target_.flushed().progress);
      at_ = At::standing;
      break;
    case At::standing:
      gate_->require_standing();
      check_stands();
      at_ = At::held;
      return terms_.hold;
    case At::held:
      gate_->require_standing();
      require_target(outages);
      check_target(source_.count_until(target_.current().progress), "has, while it is held,");
      return random.chance(90);
  }
  return true;
}

void SimFence::judged(const link::FenceGate::Judgement& judgement, int64_t now_ms, Random& random) {
  if (judgement.verdict == Verdict::reached) {
    at_ = At::target_snapshot;
    return;
  }
  in_the_way_ = judgement.in_the_way;
  if (in_the_way_) {
    check_in_the_way(*in_the_way_);
  }
  release();
  if (now_ms >= give_up_at_ms_) {
    give_up();
  }
  ++retakes_;
  not_before_ms_ = now_ms + static_cast<int64_t>(random.below(kRetakePauseMs));
  at_ = At::close;
}

// It ran when the snapshot was taken, or has committed since.
void SimFence::check_in_the_way(uint32_t xid) const {
  const SourceSnapshot seen = SourceSnapshot::parse(snapshot_.text);
  const bool ran = !snapshot_.text.ends_with(':') && !seen.sees(xid) && xid == seen.xmin();
  const auto& history = source_.history();
  const bool committed =
      std::any_of(history.begin(), history.end(), [&](const SourceTransaction& transaction) {
        return transaction.xid == xid && !snapshot_.shows(transaction);
      });
  if (!ran && !committed) {
    throw Broken(fmt::format("transaction {} is said to be in the way of {}", xid, snapshot_.text));
  }
}

void SimFence::give_up() const {
  Error error(ErrorKind::refused, "no fence could be taken");
  if (in_the_way_) {
    error.detail("transaction {} is in the way", *in_the_way_);
  } else {
    error.detail("the link had not caught up");
  }
  throw error;
}

void SimFence::check_stands() const {
  check_target(transactions_, "has");
  check_target(transactions_durable_, "has durably");
}

// The first `count` transactions are there.
void SimFence::check_target(size_t count, const char* what) const {
  for (size_t i = 0; i < source_.history().size(); ++i) {
    const SourceTransaction& transaction = source_.history()[i];
    const bool there = i < count;
    if (there != snapshot_.shows(transaction)) {
      throw Broken(
          fmt::format("a fence that does not stand: the snapshot {} {} {}, the target {} "
                      "{} transactions up to {}",
                      snapshot_.text, there ? "does not show" : "shows", transaction.xid, what,
                      count, count == 0 ? 0 : source_.history()[count - 1].xid));
    }
  }
}

std::string SimFence::show() const {
  return fmt::format("fence: snapshot {}, insert position {}, written {}, {} retakes",
                     snapshot_.text, to_string(insert_lsn_), to_string(source_.write_lsn()),
                     retakes_);
}

}  // namespace repld::sim
