// A source that makes up transactions, keeps what its tables were after each, and streams them.
//
// Transactions are made one after another from the seed and their number alone, so that a run with
// fewer of them makes the same ones. As a server does, a stream starts with what commits at or
// after both the position asked for and what the slot has confirmed, describes a relation before
// its first change, and tells idle positions in keepalives. The slot moves only by feedback.
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
#include "sim/random.h"
#include "sim/tables.h"

namespace repld::sim {

struct SourceOptions {
  size_t transactions = 0;
  size_t changes_max = 0;       // of one transaction
  uint64_t large_percent = 0;   // transactions of many changes
  uint64_t poison_percent = 0;  // transactions with a value that the target refuses
  std::set<size_t> left_out;    // numbers of transactions that are not made
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

class FakeSource {
 public:
  FakeSource(uint64_t seed, SourceOptions options);

  // Commits the next transaction; false when there is none left.
  bool commit_next();
  // WAL that is not published.
  void write_other(uint64_t bytes) { insert_ += bytes; }

  Lsn insert_lsn() const { return Lsn{insert_}; }
  // Commit time of the newest transaction that ends at or below a position, since 1970.
  int64_t commit_time_us(Lsn position) const;
  const std::vector<SourceTransaction>& history() const { return history_; }
  bool exhausted() const { return made_ == options_.transactions; }
  // Transactions that end at or below a position.
  size_t count_until(Lsn position) const;
  // What the tables were after so many of them.
  const Database& after(size_t count) const {
    return count == 0 ? empty_ : history_[count - 1].after;
  }

  Lsn confirmed() const { return confirmed_; }
  void confirm(Lsn lsn) { confirmed_ = std::max(confirmed_, lsn); }
  void persist_slot() { persisted_ = confirmed_; }
  // A slot's position is on disk only now and then.
  void restart() { confirmed_ = persisted_; }

 private:
  SourceOptions options_;
  uint64_t seed_;
  size_t made_ = 0;
  uint64_t insert_ = 0x1000;
  Lsn confirmed_ = Lsn{0x1000};
  Lsn persisted_ = Lsn{0x1000};
  std::vector<SourceTransaction> history_;
  Database empty_;
};

// One replication connection.
class SourceStream {
 public:
  // `overlap`: sends what the slot still holds below `from` too.
  SourceStream(FakeSource& source, Lsn from, bool overlap);

  // The next of what is there to send; nothing when the stream is level with the source.
  std::optional<Streamed> next(Random& random);
  // Whether everything committed so far has been sent.
  bool level() const { return index_ >= source_.history().size() && pending_.empty(); }
  StreamedKeepalive keepalive(bool reply_requested) const;

 private:
  void load(const SourceTransaction& transaction);

  FakeSource& source_;
  size_t index_;
  std::vector<std::string> pending_;  // of the transaction being sent, last first
  Lsn sent_;
  std::set<uint32_t> described_;
};

}  // namespace repld::sim
