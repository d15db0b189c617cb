// Batches on their way to the target, and what came back of them.
//
// The commands of a batch, in order:
//   begin · advance(from, to) · set constraints all deferred · its changes · names · commit
//   · insert and flush position · Sync
// "names" raises unless every table is still called what the changes called it. It is behind them,
// since their locks keep names where they are: no row lands in a table that took another's name.
// Exact changes go folded, one statement for many rows (core/change_set); mending ones one by one
// as the source made them. A table whose rows were refused when folded (a secondary unique value
// that moved from row to row) keeps the source's order for the next batches.
//
// Sent with the COMMIT held back (for a replay that must look at row counts first) it ends with a
// Sync after the last change, and send_commit() sends the rest.
//
// What a failure leaves (tried on the server, tests/server/pipeline_test.cpp): the server skips the
// rest of the batch up to its Sync, COMMIT included; the transaction block stays open and failed,
// so the batches behind it fail at their own begin; and were that block ended in between, they
// would fail at advance(), since the row is not at their `from`. So no batch behind a failed one
// can commit, whatever was sent. A batch that only flushes is the exception, since it moves
// nothing: when its COMMIT fails, only the progress row tells what became of those behind it.
//
// Which commands go out, and when, is decided here; how they reach a server is for what derives
// from this: apply/pipeline for PostgreSQL, tests/sim for a target in memory with its own clock.
//
// Not thread-safe; owned by the apply thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "base/wakeup.h"
#include "core/apply_sql.h"
#include "core/batch.h"
#include "core/change_set.h"
#include "core/error.h"
#include "core/table.h"

namespace repld::apply {

struct Drift {
  int64_t missing = 0;     // UPDATE or DELETE found no row
  int64_t unexpected = 0;  // INSERT found one
};

using Clock = std::chrono::steady_clock;

// A batch that was sent, and what has come back of it.
struct InFlight {
  Batch batch;
  Clock::time_point sent_at;
  bool finished = false;         // its last Sync has arrived
  bool committed = false;        // the tag of its COMMIT was COMMIT
  std::optional<Error> failure;  // the first
  size_t failed_part = 0;        // what it was about, when `failed_change` is set
  std::optional<size_t> failed_change;
  bool failed_around = false;        // it was about no change, nor the COMMIT
  std::map<TableName, Drift> drift;  // mending: rows that were not as the change implies
};
using InFlightPtr = std::shared_ptr<InFlight>;

// Whether the same changes are to be tried one by one: the target refused rows, or a statement for
// many of them that it may take for one. If not that, then the transaction at fault is to be found.
inline bool worth_mending(const InFlight& in_flight) {
  return in_flight.failure->kind() != ErrorKind::connect && !in_flight.failed_around;
}

class BatchPort {
 public:
  virtual ~BatchPort() = default;

  enum class Command {
    begin,
    defer_constraints,
    commit_synchronously,
    savepoint,
    release_savepoint,
    rollback_to_savepoint,
    commit,
    ask_position,
    rollback,
  };

  enum class Commit { with_changes, held };
  // Sends a whole batch.
  InFlightPtr send(Batch batch, Strictness strictness, Commit commit);
  // After a held batch has finished without failure: commits it.
  void send_commit(const InFlightPtr& in_flight);

  // One oversized transaction: opened, its parts each under a savepoint, then committed by
  // send_commit(). Progress is checked at the start and moved at the end, where its end is known.
  InFlightPtr send_begin(Lsn from);
  void send_part(const InFlightPtr& in_flight, const TransactionPart& part, Strictness strictness);
  void send_rollback_to_part(const InFlightPtr& in_flight);
  void send_advance(const InFlightPtr& in_flight, Lsn from, Lsn to);
  // With the COMMIT that is to come: what in_flight->drift names is proven no longer.
  void send_suspicions(const InFlightPtr& in_flight);

  void send_rollback();
  // Asks for the target's flush position.
  void send_position_query();

  // Takes all results that have arrived. Throws Error(connect) when the connection is gone.
  virtual void receive() = 0;
  // Waits until every result owed has arrived.
  virtual void receive_all() = 0;
  // Until something arrives, `wakeup` was notified since it was last drained, or the time is over.
  virtual void wait(Wakeup& wakeup, std::chrono::milliseconds timeout) = 0;

  // Results that are still to come.
  virtual size_t owed() const = 0;
  // End of the WAL flushed on the target when last asked, and of that written when last committed.
  virtual Lsn target_flushed() const = 0;
  virtual Lsn target_written() const = 0;
  virtual Clock::time_point now() const = 0;
  // When the target's latest answer arrived; before the first, when the session began.
  virtual Clock::time_point answered_at() const = 0;

  // Makes sure that every relation of the part has its table. To be called before the first
  // statement of a transaction, so that DDL never waits for locks which that transaction holds.
  virtual void map(const TransactionPart& part) = 0;
  virtual const TableName& table_of(const RelationPtr& relation) = 0;
  // Called before DDL on a table that statements of ours may hold locks on: these must end by
  // themselves, or be ended.
  virtual void before_ddl(std::function<void()> release) = 0;

 protected:
  // Each hands on one command. Null: the command belongs to no batch, its failure is thrown.
  virtual void queue(const InFlightPtr& in_flight, Command command) = 0;
  virtual void queue_advance(const InFlightPtr& in_flight, Lsn from, Lsn to) = 0;
  // One change as it came. Borrows the part within the call.
  virtual void queue_change(const InFlightPtr& in_flight, const TransactionPart& part,
                            const InOrder& place, Strictness strictness) = 0;
  // Folded ones, exactly. Borrows them within the call.
  virtual void queue_rows(const InFlightPtr& in_flight, const RowSet& rows) = 0;
  // Raises unless the names that the parts' changes go by are those of the tables that were mapped.
  virtual void queue_names(const InFlightPtr& in_flight,
                           std::span<const TransactionPart> parts) = 0;
  // The last proof of a table holds no longer.
  virtual void queue_suspicion(const InFlightPtr& in_flight, const TableName& table) = 0;
  virtual void queue_sync(const InFlightPtr& in_flight) = 0;
  virtual const RowMapping& mapping_of(const RelationPtr& relation) = 0;

  // To be told when the target refused a RowSet of this table.
  void keep_order(const TableName& table);

 private:
  void queue_changes(const InFlightPtr& in_flight, std::span<const TransactionPart> parts,
                     Strictness strictness);
  void queue_in_order(const InFlightPtr& in_flight, std::span<const TransactionPart> parts,
                      Strictness strictness);
  void queue_folded(const InFlightPtr& in_flight, std::span<const TransactionPart> parts);
  bool keeps_order(const RelationPtr& relation);

  uint64_t foldings_ = 0;
  std::map<TableName, uint64_t> in_order_until_;  // number of the folding
};

}  // namespace repld::apply
