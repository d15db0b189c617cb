// Stands between the queue and the applier, and stops it at a fence (core/fence).
//
// The applier's thread asks for parts; whoever takes a fence closes the gate, hands in what it
// read on the source, and waits. Between two transactions a closed gate yields nothing. While it
// judges it yields what belongs before the fence, and keeps what it had to look at and may not
// yield: that goes first once the gate is open. The rest of a transaction that has begun always
// passes: fences lie between transactions.
//
//   open -> closed -> judging -> durable -> open     the fence is reached, all before it durable
//                             -> blocked -> open     the snapshot will not do
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>

#include "apply/applier.h"
#include "base/synchronized.h"
#include "base/wakeup.h"
#include "core/fence.h"
#include "core/flow.h"

namespace repld::link {

class FenceGate {
 public:
  using Clock = std::chrono::steady_clock;

  // `next_part`: of the queue. `baseline`: see core/fence. `kept_bytes_max`: of what may be looked
  // at ahead. Borrows the rest.
  FenceGate(apply::NextPart next_part, Synchronized<Flow>& flow, Wakeup& applier, uint32_t baseline,
            size_t kept_bytes_max);

  // The applier's thread.
  std::optional<TransactionPart> next();

  // Any thread; one fence at a time. All throw Error(connect) once the session has ended, on which
  // close() waits too when another fence is being taken.
  // Waits for a moment at which the applier has taken all that has arrived, since a link that lags
  // would have to catch up before the closed gate; not for long, since it may lag for ever.
  // Whether it is closed: not when the other is held until the deadline.
  bool close(Clock::time_point deadline, const std::stop_token& stop);
  enum class Verdict { reached, retake, late };
  struct Judgement {
    Verdict verdict = Verdict::late;
    std::optional<uint32_t> in_the_way;  // xid
  };
  // Waits until the target is at the fence and durable, or cannot be there with this snapshot.
  Judgement judge(const SourceSnapshot& snapshot, Lsn insert_lsn, Clock::time_point deadline,
                  const std::stop_token& stop);
  // The next session may have gone on from a fence before its taker hears of it. What was read on
  // the target is of the fence when this does not throw afterwards.
  void require_standing();
  void open();

  // close() and judge() in steps that do not wait.
  bool try_close();  // false: another fence is being taken
  void start_judging(const SourceSnapshot& snapshot, Lsn insert_lsn);
  std::optional<Judgement> verdict();  // nothing: not yet

  // The session is over: nobody waits any longer.
  void end();
  // A transaction that stands in the way of a fence at this snapshot.
  std::optional<uint32_t> unseen(const SourceSnapshot& snapshot);
  // So that no more ids are kept than necessary.
  void seen(const SourceSnapshot& snapshot);

 private:
  enum class Phase { open, closed, judging, reached, durable, blocked };

  std::optional<TransactionPart> hand_out();
  std::optional<TransactionPart> judge_next();
  void look_ahead(FenceDecision::Step step);
  std::optional<TransactionPart> take();  // from the queue
  bool fetch();                           // the same, to be kept
  void turn(Phase phase);
  bool passed_idle();
  void reach();
  void throw_if_ended() const;
  std::optional<Judgement> verdict_now() const;

  const apply::NextPart next_part_;
  Synchronized<Flow>& flow_;
  Wakeup& applier_;
  const size_t kept_bytes_max_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  Phase phase_ = Phase::open;
  bool ended_ = false;
  bool inside_ = false;  // a transaction whose last part has not been handed out
  uint64_t lulls_ = 0;   // how often the applier found the gate open, and nothing behind it
  AppliedXids applied_;
  std::optional<FenceDecision> decision_;
  std::optional<uint32_t> unseen_;  // why the snapshot would not do from the start
  std::deque<TransactionPart> kept_;
  size_t examined_ = 0;  // of kept_, by decision_
  size_t kept_bytes_ = 0;
  uint64_t fetched_ = 0;  // parts taken from the queue
  uint64_t flush_ = 0;    // the request to the applier
};

}  // namespace repld::link
