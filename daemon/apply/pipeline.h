// Batches on the apply connection: queues their commands, reads every result, and says of each
// batch whether it was committed.
//
// The commands of a batch, in order:
//   begin · set constraints all deferred · advance(from, to) · one statement per change · commit
//   · insert and flush position · Sync
// Sent with the COMMIT held back (for a replay that must look at row counts first) it ends with a
// Sync after the last change, and commit() sends the rest.
//
// What a failure leaves (tried on the server, tests/server/pipeline_test.cpp): the server skips the
// rest of the batch up to its Sync, COMMIT included; the transaction block stays open and failed,
// so the batches behind it fail at their own begin; and were that block ended in between, they
// would fail at advance(), since the row is not at their `from`. So no batch behind a failed one
// can commit, whatever was sent.
//
// Not thread-safe; owned by the apply thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>

#include "apply/batch.h"
#include "apply/change_binding.h"
#include "pg/pipeline_connection.h"

namespace repld::apply {

struct Drift {
  int64_t missing = 0;     // UPDATE or DELETE found no row
  int64_t unexpected = 0;  // INSERT found one
};

// A batch that was sent, and what has come back of it.
struct InFlight {
  Batch batch;
  bool finished = false;         // its last Sync has arrived
  bool committed = false;        // the tag of its COMMIT was COMMIT
  std::optional<Error> failure;  // the first
  size_t failed_part = 0;        // what it was about, when `failed_change` is set
  std::optional<size_t> failed_change;
  std::map<TableName, Drift> drift;  // mending: rows that were not as the change implies
};

class Pipeline {
 public:
  // `connection` is in pipeline mode; prepared statements belong to `schema`. Borrows both.
  // Once `stop` is requested, waiting for answers ends after some seconds with Error(connect).
  Pipeline(pg::PipelineConnection& connection, SchemaMap& schema, std::string link,
           std::string owner, std::stop_token stop);

  enum class Commit { with_changes, held };
  // Queues a whole batch and hands it to the kernel.
  std::shared_ptr<InFlight> send(Batch batch, Strictness strictness, Commit commit);
  // After a held batch has finished without failure: commits it.
  void send_commit(const std::shared_ptr<InFlight>& in_flight);

  // One oversized transaction: opened, its parts each under a savepoint, then committed by
  // send_commit(). Progress is checked at the start and moved at the end, where its end is known.
  std::shared_ptr<InFlight> send_begin(Lsn from);
  void send_part(const std::shared_ptr<InFlight>& in_flight, const TransactionPart& part,
                 Strictness strictness);
  void send_rollback_to_part(const std::shared_ptr<InFlight>& in_flight);
  void send_advance(const std::shared_ptr<InFlight>& in_flight, Lsn from, Lsn to);

  void send_rollback();
  // Asks for the target's flush position.
  void send_position_query();

  // Takes all results that have arrived. Throws Error(connect) when the connection is gone.
  void receive();
  // Waits until every result owed has arrived.
  void receive_all();

  // End of the WAL flushed on the target when last asked, and of that written when last committed.
  Lsn target_flushed() const { return target_flushed_; }
  Lsn target_written() const { return target_written_; }
  size_t owed() const { return owed_.size(); }

 private:
  struct Owed {
    enum class Kind { other, prepare, change, commit, position, sync };
    Kind kind = Kind::other;
    std::shared_ptr<InFlight> in_flight;  // null for what belongs to no batch
    Prepared* prepared = nullptr;
    MappedRelation* relation = nullptr;
    ChangeKind change_kind = ChangeKind::insert;
    Strictness strictness = Strictness::exact;
    size_t part = 0;
    size_t change = 0;
  };

  void owe(Owed::Kind kind, const std::shared_ptr<InFlight>& in_flight);
  void send_other(const std::shared_ptr<InFlight>& in_flight, const std::string& sql);
  void send_changes(const std::shared_ptr<InFlight>& in_flight, const TransactionPart& part,
                    size_t part_index, Strictness strictness);
  void send_sync(const std::shared_ptr<InFlight>& in_flight);
  std::string advance_sql(Lsn from, Lsn to) const;
  // Gets what is queued out of our memory, taking results meanwhile so that neither side waits
  // for the other.
  void flush();
  void give_up_when_stopped();
  void take(const Owed& owed, const PGresult* result);
  void take_change(const Owed& owed, const PGresult* result);
  void fail(const Owed& owed, Error error);

  pg::PipelineConnection& connection_;
  SchemaMap& schema_;
  const std::string link_;
  const std::string owner_;
  const std::stop_token stop_;
  std::optional<std::chrono::steady_clock::time_point> stopped_at_;
  std::deque<Owed> owed_;
  BoundChange bound_;
  size_t unflushed_bytes_ = 0;
  Lsn target_flushed_ = Lsn::invalid;
  Lsn target_written_ = Lsn::invalid;
};

}  // namespace repld::apply
