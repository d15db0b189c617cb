// A source transaction that the operator left out (replctl skip).
//
// It is known to this process only: after a crash the link stops at the same transaction again and
// the operator decides again. What is left out is gone from the target for good: it overtakes the
// proofs of its tables and is told in the events, when it is taken out of the stream, behind the
// gate of the fences, and before its position is committed: a crash in between leaves both about a
// transaction that is not left out yet.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/transaction.h"
#include "link/event_log.h"

namespace repld::link {

class Skip {
 public:
  using LeftOut = std::function<void(const std::vector<RelationPtr>& relations)>;

  // `transaction`: its commit position; invalid: none is left out. Borrows the log. `left_out`: of
  // these relations the transaction has changes; called once.
  Skip(Lsn transaction, EventLog& events, LeftOut left_out)
      : transaction_(transaction), events_(events), left_out_(std::move(left_out)) {}

  // Empties a part of that transaction, so that only the position moves; leaves others alone.
  // Whether that was its last: the event about it must be stored now.
  bool filter(TransactionPart& part);

 private:
  const Lsn transaction_;
  EventLog& events_;
  const LeftOut left_out_;
  size_t changes_ = 0;
  std::map<std::string, RelationPtr> relations_;  // by full name
};

}  // namespace repld::link
