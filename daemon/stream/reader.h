// The stream thread of a link: socket -> frame -> message -> transaction -> queue, and feedback.
//
// Feedback has the thread's own rhythm and never waits for the queue: when the queue is full the
// thread stops reading, not answering. Confirmed is only what is durable on the target and older
// than the margin (core/progress); a crash at any point leaves the slot at or behind that.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "base/bounded_queue.h"
#include "base/synchronized.h"
#include "core/flow.h"
#include "core/transaction.h"
#include "core/wal_frame.h"
#include "pg/replication_connection.h"

namespace repld::stream {

using PartQueue = BoundedQueue<TransactionPart>;

struct ReaderOptions {
  size_t part_bytes_max = 0;
  int64_t confirm_margin_ms = 0;
  int feedback_interval_ms = 1000;
  // Which relations of the stream are applied; called on the reader's thread. Empty: all.
  std::function<bool(const Relation&, uint32_t xid)> wanted;
  std::string echo = {};  // mark of the other direction, see core/transaction
};

class Reader {
 public:
  // `connection` has been started at `from`. Borrows queue, flow and wakeups, which must outlive
  // the thread; `wakeup` is this thread's, `applier` is notified of idle positions.
  Reader(pg::ReplicationConnection& connection, Lsn from, const ReaderOptions& options,
         PartQueue& queue, Synchronized<Flow>& flow, Wakeup& wakeup, Wakeup& applier);

  // Until stopped. Throws Error when the stream breaks.
  void run(const std::stop_token& stop);

 private:
  using Clock = std::chrono::steady_clock;

  // Reads until nothing has arrived, the queue is full, or feedback is due.
  void read_frames();
  void take(const WalData& data);
  void take(const Keepalive& keepalive);
  bool push_waiting();  // true when no part is waiting for room
  void send_feedback();

  pg::ReplicationConnection& connection_;
  const ReaderOptions options_;
  PartQueue& queue_;
  Synchronized<Flow>& flow_;
  Wakeup& wakeup_;
  Wakeup& applier_;
  TransactionAssembler assembler_;
  ConfirmMargin margin_;
  std::optional<TransactionPart> waiting_;
  bool reply_requested_ = false;
  Lsn reported_durable_ = Lsn::invalid;
  Clock::time_point feedback_due_;
};

}  // namespace repld::stream
