// What the two threads of a link tell each other besides the changes themselves.
//
// Idle positions: a keepalive says that everything up to its position has been sent. It counts
// only once everything that was queued before it has been applied, so it carries how many parts
// had been queued by then.
#pragma once

#include <cstdint>

#include "core/progress.h"

namespace repld {

struct IdlePosition {
  Lsn lsn = Lsn::invalid;
  uint64_t after_parts = 0;  // valid when this many parts of the session have been applied
  bool prompt = false;       // the server asked for an answer
};

struct Flow {
  explicit Flow(Lsn start) : progress(start), caught_up(start) {}

  Progress progress;
  IdlePosition idle;
  // Everything up to here is durable on the target or did not concern it. At or ahead of
  // progress.durable(): idle positions count here at once, in the progress row every few seconds.
  Lsn caught_up;
  // Commit time of the newest durable transaction: source clock, since 1970; 0: unknown.
  int64_t durable_commit_us = 0;
};

}  // namespace repld
