#include "core/flow.h"

#include <algorithm>

namespace repld {

void Flow::read(const TransactionPart& part) {
  ++parts_read;
  if (part.last) {
    progress.receive(part.end_lsn);
  }
}

void Flow::read(const Keepalive& keepalive) {
  progress.receive(keepalive.wal_end);
  idle.lsn = std::max(idle.lsn, keepalive.wal_end);
  idle.after_parts = parts_read;
  idle.prompt = idle.prompt || keepalive.reply_requested;
}

Lsn Flow::confirm(ConfirmMargin& margin) {
  margin.durable(progress.durable(), target_seen_ms);
  progress.confirm(std::max(progress.confirmed(), margin.confirmable(target_seen_ms)));
  return progress.confirmed();
}

}  // namespace repld
