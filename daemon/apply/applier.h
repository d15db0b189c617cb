// The apply thread of a link: queue -> batch -> target, and what became of it.
//
// Batches adapt to the load: one takes whatever has arrived, up to limits that grow while the
// target keeps up (core/batch_pace), and up to kInFlightMax are on their way at once, so that
// latency is one round trip when idle and a backlog goes in large target transactions.
//
// Three positions. `sent_`: the last batch's end. applied: its COMMIT was answered COMMIT.
// durable: the target's flush position, read on this very connection after that, has passed it;
// COMMITs are asynchronous. With the connection the marks die, since a server that went down may
// have forgotten those commits: the next session starts from the progress row it then finds.
//
// A refused row or a wrong count has aborted its batch on the server (core/apply_sql) and those
// behind it (apply/batch_port). Here that batch is replayed with mending statements, its COMMIT
// held until all counts are known; rows that had been missing are counted as drift. What still
// fails stops the link: everything before it is committed first, then the Error says which
// transaction and table it was. What the target does not fit waits until all before it is settled,
// and then stops the link with Error(schema), which names its transaction too; a crash while it
// waits has applied none of it.
//
// Interleavings, with C a crash of this process and the server's view in brackets:
//   sent, C              [rolls back, or commits progress and data together]  the next session
//                        reads which
//   COMMIT answered, C   [committed, maybe not flushed]  the slot was told less; nothing is due
//   COMMIT answered, target crashes  [may be forgotten]  the progress row went with it; replayed
//   durable marked, C    the margin still holds the WAL; nothing is due
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>

#include "apply/batch_port.h"
#include "base/synchronized.h"
#include "core/batch_pace.h"
#include "core/flow.h"

namespace repld::apply {

// What has arrived next; nothing when all of it has been taken.
using NextPart = std::function<std::optional<TransactionPart>()>;

struct ApplierOptions {
  BatchLimits batch;
  Strictness strictness = Strictness::exact;
};

// What a target transaction brought, for counters.
struct AppliedRows {
  TableName table;
  int64_t inserted = 0;
  int64_t updated = 0;
  int64_t deleted = 0;
};
struct AppliedBatch {
  int64_t transactions = 0;
  double seconds = 0;  // from sending it to its answer
  std::vector<AppliedRows> rows;
};

// Called on the apply thread.
struct ApplyObserver {
  std::function<void(const AppliedBatch& batch)> applied;
  // Rows that were not as a change implies; never called for a target that others write to.
  std::function<void(const TableName& table, const Drift& drift)> drifted;
  // Some rows were not there, whoever writes to the target: what did not come whole of them is in
  // repld.refetch.
  std::function<void()> mended;
};

class Applier {
 public:
  // Borrows everything; `wakeup` is this thread's, `reader` is notified of durable progress.
  Applier(BatchPort& port, Lsn from, const ApplierOptions& options, NextPart next_part,
          Synchronized<Flow>& flow, Wakeup& wakeup, Wakeup& reader, ApplyObserver observer);

  // Until stopped; then what was sent is made durable. Throws Error when it cannot go on.
  void run(const std::stop_token& stop);

 private:
  bool fill(const std::stop_token& stop);  // true when something was sent
  Batch next_batch();
  bool fits(const TransactionPart& part);
  void map(const TransactionPart& part);
  void send(Batch batch);
  void settle();  // finished batches, oldest first
  void settle_all();
  void recover();
  void roll_back();
  void release_locks();
  void replay(Batch batch);
  void replay_singly(Batch batch);
  void apply_large(TransactionPart first, const std::stop_token& stop);
  void apply_part(const InFlightPtr& in_flight, const TransactionPart& part);
  std::optional<TransactionPart> await_part(const std::stop_token& stop);
  void commit_held(const InFlightPtr& in_flight);
  void committed(const InFlight& in_flight, uint64_t parts);
  void count(const TransactionPart& part);
  bool move_idle_position();
  void track_durable();
  void send_flush();
  void finish();
  [[noreturn]] void refuse(const InFlight& in_flight, const TransactionPart& part) const;

  BatchPort& port_;
  const ApplierOptions options_;
  BatchPace pace_;
  const NextPart next_part_;
  Synchronized<Flow>& flow_;
  Wakeup& wakeup_;
  Wakeup& reader_;
  const ApplyObserver observer_;

  struct Mark {
    Lsn target;  // durable once the target has flushed this
    Lsn source;
    int64_t commit_us;  // of the newest transaction up to there; 0: none yet
  };

  std::deque<InFlightPtr> in_flight_;
  bool in_large_ = false;                 // a transaction in parts is open on the target
  bool restart_ = false;                  // it was given up for DDL: the stream begins again
  std::optional<TransactionPart> large_;  // first part of an oversized transaction, to come next
  std::optional<TransactionPart> held_;   // the target does not fit it: once all before has settled
  std::deque<Mark> marks_;
  AppliedBatch counted_;  // since the last COMMIT
  std::map<RelationPtr, size_t> counted_index_;
  Lsn sent_;
  Lsn applied_;
  uint64_t parts_applied_ = 0;
  uint64_t flush_sent_ = 0;     // newest request of the flow that was sent
  int64_t commit_time_us_ = 0;  // of the newest transaction applied, since 1970
  Clock::time_point row_moved_at_;
  Clock::time_point asked_at_;      // for the flush position
  Clock::time_point committed_at_;  // the newest mark
};

}  // namespace repld::apply
