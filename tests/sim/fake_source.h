// A source that makes up transactions, keeps what its tables were after each, and streams them.
//
// Transactions are made one after another from the seed and their number alone, so that a run with
// fewer of them makes the same ones. As a server does, a stream starts with what commits at or
// after both the position asked for and what the slot has confirmed, describes a relation before
// its first change, and tells idle positions in keepalives. The slot moves only by feedback.
//
// A transaction gets its id when it begins, at any time before, and others begin that never commit.
// Its commit record is in the WAL before a snapshot shows it: for a moment, or for long when it
// waits for a standby. WAL is inserted, then written, then flushed; the stream has what is flushed.
// When all that happens is chance of the run, what transactions do is not.
//
// Values `poison-<n>` and `late-<n>` are refused by the target, at once or at COMMIT, until an
// operator allows them.
#pragma once

#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/lsn.h"
#include "core/pgoutput.h"
#include "sim/proc_array.h"
#include "sim/random.h"
#include "sim/tables.h"

namespace repld::sim {

struct SourceOptions {
  size_t transactions = 0;
  size_t changes_max = 0;       // of one transaction
  uint64_t large_percent = 0;   // transactions of many changes
  uint64_t poison_percent = 0;  // transactions with a value that the target refuses
  std::set<size_t> left_out;    // numbers of transactions that are not made
  uint64_t first_xid = 700;
  uint64_t begin_percent = 0;    // of steps in which a transaction begins ahead of its commit
  uint64_t standby_percent = 0;  // transactions that wait for a standby
  uint64_t show_percent = 100;   // of steps in which snapshots come to show one that does not
  uint64_t flush_percent = 100;  // of steps in which WAL is flushed
};

// What a transaction did to one row, or to a whole leaf.
struct Touch {
  size_t table = 0;
  size_t leaf = 0;
  std::string identity;  // empty: TRUNCATE
  bool inserted = false;
};

struct SourceTransaction {
  uint32_t xid = 0;
  int64_t commit_time_us = 0;  // since 2000
  uint64_t shown_as = 0;       // in the order in which snapshots came to show them; 0: not yet
  Lsn commit_lsn = Lsn::invalid;
  Lsn end_lsn = Lsn::invalid;
  struct Payload {
    std::vector<uint32_t> oids;  // relations to be described before
    std::string bytes;
  };
  std::vector<Payload> changes;
  std::vector<Touch> touches;  // in order
  std::vector<std::string> poison;
  int64_t rows = 0;  // changes of rows
  std::vector<std::string> shown;
  Database after;
};

// As decoded frames: a payload that a `w` frame would carry, or a keepalive.
struct StreamedKeepalive {
  Lsn wal_end = Lsn::invalid;
  bool reply_requested = false;
};
using Streamed = std::variant<std::string, StreamedKeepalive>;

struct SnapshotTaken {
  std::string text;
  uint64_t shown_until = 0;

  bool shows(const SourceTransaction& transaction) const {
    return transaction.shown_as > 0 && transaction.shown_as <= shown_until;
  }
};

class FakeSource {
 public:
  FakeSource(uint64_t seed, SourceOptions options);

  // Commits the next transaction; false when there is none left.
  bool commit_next(Random& random);
  // WAL that is not published.
  void write_other(uint64_t bytes) { insert_ += bytes; }
  // What goes on by itself: transactions begin and end, are shown, WAL is flushed.
  void move_on(Random& random);
  // A message of ours, in a transaction that waits for no standby.
  void emit_marker(Random& random);
  // Of a transaction that begins and ends.
  uint32_t fresh_xid();
  SnapshotTaken snapshot() const { return {running_.snapshot(), shown_}; }
  void leap(uint64_t ids) { running_.leap(ids); }

  Lsn insert_lsn() const { return Lsn{insert_}; }
  Lsn write_lsn() const { return Lsn{written_}; }
  Lsn flush_lsn() const { return Lsn{flushed_}; }
  // Commit time of the newest transaction that ends at or below a position, since 1970.
  int64_t commit_time_us(Lsn position) const;
  const std::vector<SourceTransaction>& history() const { return history_; }
  bool exhausted() const { return made_ == options_.transactions; }
  // Nothing moves any more.
  bool quiet() const { return exhausted() && running_.empty() && flushed_ == insert_; }
  // Transactions that end at or below a position.
  size_t count_until(Lsn position) const;
  // What the tables were after so many of them.
  const Database& after(size_t count) const {
    return count == 0 ? empty_ : history_[count - 1].after;
  }

  Lsn confirmed() const { return confirmed_; }
  void confirm(Lsn lsn) { confirmed_ = std::max(confirmed_, lsn); }
  void persist_slot() { persisted_ = confirmed_; }
  // A slot's position is on disk only now and then. Nobody waits for a standby any longer.
  void restart();

 private:
  struct Hidden {
    size_t number = 0;  // in the history
    uint64_t xid = 0;
    bool flushes = false;  // waits until its record is flushed
    bool standby = false;  // and for a standby
  };
  void append(SourceTransaction transaction, Hidden hidden, Random& random);
  void show(const Hidden& hidden);
  uint64_t take_begun(Random& random);

  SourceOptions options_;
  uint64_t seed_;
  size_t made_ = 0;
  uint64_t insert_ = 0x1000;
  uint64_t written_ = 0x1000;
  uint64_t flushed_ = 0x1000;
  Lsn confirmed_ = Lsn{0x1000};
  Lsn persisted_ = Lsn{0x1000};
  std::vector<SourceTransaction> history_;
  Database empty_;
  ProcArray running_;
  std::vector<uint64_t> begun_;  // not committed
  std::vector<Hidden> hidden_;   // committed, not shown
  uint64_t shown_ = 0;
};

// One replication connection.
class SourceStream {
 public:
  // `overlap`: sends what the slot still holds below `from` too.
  SourceStream(FakeSource& source, Lsn from, bool overlap);

  // The next of what is there to send; nothing when the stream is level with the source.
  std::optional<Streamed> next(Random& random);
  // Whether everything flushed so far has been sent.
  bool level() const { return pending_.empty() && !more(); }
  StreamedKeepalive keepalive(bool reply_requested) const;

 private:
  bool more() const {
    return index_ < source_.history().size() &&
           source_.history()[index_].end_lsn <= source_.flush_lsn();
  }
  void load(const SourceTransaction& transaction);

  FakeSource& source_;
  size_t index_;
  std::vector<std::string> pending_;  // of the transaction being sent, last first
  Lsn sent_;
  std::set<uint32_t> described_;
};

}  // namespace repld::sim
