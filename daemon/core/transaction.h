// Turns decoded messages into whole source transactions.
//
// The server sends transactions one after another, complete, in commit order (streaming is
// off), so at most one is open. Anything else is a protocol error. A transaction above
// part_bytes_max leaves in parts; only the last one has `last` set, and the applier must not
// commit before it.
//
// Not thread-safe; owned by the stream thread. Does no I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/lsn.h"
#include "core/pgoutput.h"
#include "core/relation.h"

namespace repld {

enum class ChangeKind : uint8_t { insert, update, remove, truncate };

// Which old row an UPDATE or DELETE carries. `none`: an UPDATE that left the key alone.
// `key`: identity columns only, the others read as null and mean "not sent".
enum class OldTuple : uint8_t { none, key, full };

struct Truncate {
  std::vector<RelationPtr> relations;
  bool cascade = false;
  bool restart_identity = false;
};

struct Change {
  ChangeKind kind = ChangeKind::insert;
  OldTuple old_tuple = OldTuple::none;
  RelationPtr relation;  // null for truncate
  size_t old_first = 0;  // index into TransactionPart::values of the old row's first column
  size_t new_first = 0;  // the same for the new row (insert, update)
  size_t truncate = 0;   // index into TransactionPart::truncates
};

// A whole transaction (first and last set), or one part of an oversized one.
// Values point into `arena`, where each text ends with a zero byte so that it can be handed to
// libpq as it is.
struct TransactionPart {
  uint32_t xid = 0;
  Lsn commit_lsn = Lsn::invalid;  // start of the commit record, from Begin
  Lsn end_lsn = Lsn::invalid;     // end of the commit record; what progress counts. Last part only
  int64_t commit_time_us = 0;     // source clock, microseconds since 2000-01-01 UTC
  bool first = false;
  bool last = false;
  // On the last part: the transaction carries a transactional message with our prefix, so someone
  // waits for its progress.
  bool marker = false;
  // Texts of the messages by which it moves groups, see core/direction.
  std::vector<std::string> announcements;

  std::vector<Change> changes;
  std::vector<Value> values;
  std::vector<Truncate> truncates;
  std::string arena;

  // Heap bytes held, for the queue's bound.
  size_t bytes() const;
  const char* text(const Value& value) const { return arena.data() + value.offset; }
};

// Removes the changes of relations that are `outside`, which is asked once for each run of changes.
void leave_out(TransactionPart& part,
               const std::function<bool(const RelationPtr& relation)>& outside);

// Prefix of every logical decoding message that repld writes: with the name of a link as its text
// it marks what that link applies, with another, which begins with a colon, it moves the stream.
inline constexpr std::string_view kMessagePrefix = "repld";

class TransactionAssembler {
 public:
  // Drops transactions whose end is at or below `resume_after`: they are already durable on the
  // target.
  // `wanted`: asked about each relation that is described, in the transaction `xid`; changes of the
  // others are dropped. It may throw. Empty: all are wanted.
  // `echo`: transactions that begin with a message of ours with this text never leave, unless they
  // move a group: they are what the link of the other direction applied, which marks them before
  // their first change. Not even empty: each would be answered by an empty one for ever.
  TransactionAssembler(Lsn resume_after, size_t part_bytes_max,
                       std::function<bool(const Relation&, uint32_t xid)> wanted = {},
                       std::string echo = {});

  // Takes the next message; returns a part when one is ready. The message may borrow from a
  // buffer that dies after the call.
  // Throws Error(protocol), after which the stream must be reopened.
  std::optional<TransactionPart> push(const pgoutput::Message& message);

  // True between Begin and Commit: a keepalive may not move the position then.
  bool in_transaction() const { return open_; }

 private:
  void require_open(const char* message) const;
  void begin(const pgoutput::Begin& message);
  std::optional<TransactionPart> commit(const pgoutput::Commit& message);
  void describe(const Relation& relation);
  void note_message(const pgoutput::LogicalMessage& message);
  std::optional<TransactionPart> add_row(ChangeKind kind, uint32_t oid,
                                         const pgoutput::OldRow& old_row,
                                         const pgoutput::Tuple* new_row);
  std::optional<TransactionPart> add_truncate(const pgoutput::Truncate& message);
  size_t add_tuple(const Relation& relation, const pgoutput::Tuple& tuple);
  std::optional<TransactionPart> take_full_part();
  TransactionPart take_part(bool last);

  const Lsn resume_after_;
  const size_t part_bytes_max_;
  const std::function<bool(const Relation&, uint32_t xid)> wanted_;
  const std::string echo_;
  RelationCache relations_;
  std::unordered_set<uint32_t> unwanted_;  // oids
  TransactionPart part_;

  // Of the open transaction.
  bool open_ = false;
  bool dropped_ = false;    // it is durable on the target already
  bool sent_part_ = false;  // a part of it has left
  bool marker_ = false;     // it carries a message with our prefix
  bool echoes_ = false;     // it is what the other direction applied
  pgoutput::Begin begin_;
};

}  // namespace repld
