// A target server in memory: tables and progress row, transactions, a WAL that is flushed later.
//
// COMMITs are asynchronous: what is written is lost when the server goes down before it was
// flushed, progress row included. A fail-over loses flushed commits too, up to a given age. One
// session at a time executes the commands that it was sent, whether their client still lives or
// not; the next client's claim ends it first, and commits synchronously, as apply/progress_store
// does. After an error commands are skipped up to the next Sync, and the transaction block stays
// failed (tests/server/pipeline_test.cpp shows all this of PostgreSQL).
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "apply/batch_port.h"
#include "sim/drift.h"
#include "sim/target_work.h"

namespace repld::sim {

struct TargetState {
  uint64_t lsn = 0;  // of the commit record
  Lsn progress = Lsn::invalid;
  Database tables;
  DriftRecords drift;
  QueuedRows refetch;
};

struct TargetCommand {
  enum class Kind { plain, advance, work, sync };
  Kind kind = Kind::plain;
  apply::BatchPort::Command plain = apply::BatchPort::Command::begin;
  Lsn from = Lsn::invalid;
  Lsn to = Lsn::invalid;
  Work work;
};

struct TargetAnswer {
  enum class Kind { done, error, skipped, sync };
  Kind kind = Kind::done;
  std::string sqlstate;
  bool committed = false;  // the tag of a COMMIT
  bool found = false;
  Lsn written = Lsn::invalid;
  Lsn flushed = Lsn::invalid;
};

// A committed transaction, before it counts.
struct TargetCommit {
  const TargetState& before;
  TargetState& after;   // its drift records are settled by the observer
  bool ours = true;     // by the apply session
  apply::Drift mended;  // what mending statements found
};

class FakeTarget {
 public:
  using OnCommit = std::function<void(TargetCommit&)>;
  FakeTarget(uint64_t seed, Lsn start, OnCommit on_commit);

  // A new session: ends the former one, of which some of what it was sent is executed yet. Returns
  // the progress row.
  Lsn claim();
  void send(TargetCommand command) { inbox_.push_back(std::move(command)); }
  bool idle() const { return inbox_.empty(); }
  std::optional<TargetAnswer> next_answer();

  void execute(size_t commands);  // at most so many
  void flush(uint64_t percent);   // that share of what is written and not flushed
  void note_time(int64_t now_us);
  // Both end the session without a word.
  void crash();
  void fail_over(int64_t not_before_us);  // back to what was durable at that time
  void fail_next_statement(std::string sqlstate) { next_failure_ = std::move(sqlstate); }
  void fail_next_flush() { flush_fails_ = true; }
  void allow(const std::string& value) { allowed_.insert(value); }
  // Another session's transaction; false while ours is open.
  bool edit(const std::function<void(TargetState&)>& change);

  const TargetState& current() const { return unflushed_.empty() ? flushed() : unflushed_.back(); }
  const TargetState& flushed() const { return flushed_.back().state; }
  // Whether the session holds locks that DDL of another one would wait for.
  bool holds_locks() const { return block_ == Block::open; }

 private:
  enum class Block { none, open, failed };
  struct Flushed {
    int64_t at_us = 0;
    TargetState state;
  };

  TargetAnswer run_one(const TargetCommand& command);
  TargetAnswer run_plain(apply::BatchPort::Command command);
  TargetAnswer fail(std::string sqlstate);
  TargetAnswer commit();
  void append(TargetState next, bool ours);
  void end_session();

  Random random_;
  OnCommit on_commit_;
  std::deque<Flushed> flushed_;        // the newest last; older ones for fail_over()
  std::deque<TargetState> unflushed_;  // in order
  uint64_t written_ = 0x100;
  uint64_t flushed_lsn_ = 0x100;
  int64_t now_us_ = 0;
  std::set<std::string> allowed_;
  std::string next_failure_;
  bool flush_fails_ = false;

  // Of the session.
  std::deque<TargetCommand> inbox_;
  std::deque<TargetAnswer> outbox_;
  Block block_ = Block::none;
  bool skipping_ = false;
  bool synchronous_ = false;
  TargetState open_;
  apply::Drift mended_;
  std::deque<std::pair<TargetState, apply::Drift>> savepoints_;
};

}  // namespace repld::sim
