// What the two threads of a link tell each other besides the changes themselves.
//
// Idle positions: a keepalive says that everything up to its position has been sent. It counts
// only once everything that was queued before it has been applied, so it carries how many parts
// had been queued by then.
#pragma once

#include <cstdint>

#include "core/progress.h"
#include "core/transaction.h"
#include "core/wal_frame.h"

namespace repld {

struct IdlePosition {
  Lsn lsn = Lsn::invalid;
  uint64_t after_parts = 0;  // valid when this many parts of the session have been applied
  bool prompt = false;       // the server asked for an answer
};

struct Flow {
  explicit Flow(Lsn start) : progress(start), caught_up(start) {}

  // Of the stream thread. A part was read; it is in the queue, or waits for room there.
  void read(const TransactionPart& part);
  // A keepalive between two transactions. Inside one its position lies before the commit and says
  // nothing new.
  void read(const Keepalive& keepalive);
  // What the slot is told now: durable on the target for at least the margin. Counted up to the
  // target's last answer, since it may have failed over behind a connection that only looks alive.
  Lsn confirm(ConfirmMargin& margin);

  Progress progress;
  IdlePosition idle;
  // Everything up to here is durable on the target or did not concern it. At or ahead of
  // progress.durable(): idle positions count here at once, in the progress row every few seconds.
  Lsn caught_up;
  // Commit time of the newest durable transaction: source clock, since 1970; 0: unknown.
  int64_t durable_commit_us = 0;
  int64_t target_seen_ms = 0;  // when it last answered, on the clock of the margin
  uint64_t parts_read = 0;
  // A fence asks, between two parts, for a synchronous COMMIT behind all that was handed out: the
  // number of the newest request, and of the newest that was met.
  uint64_t flush_wanted = 0;
  uint64_t flush_done = 0;
};

}  // namespace repld
