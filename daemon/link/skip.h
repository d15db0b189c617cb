// A source transaction that the operator left out (replctl skip).
//
// It is known to this process only: after a crash the link stops at the same transaction again and
// the operator decides again. What is left out is gone from the target for good, so it is told in
// the events, when it is taken out of the stream and before its position is committed: a crash in
// between leaves an event about a transaction that is not left out yet.
#pragma once

#include <set>
#include <string>

#include "core/transaction.h"
#include "link/event_log.h"

namespace repld::link {

class Skip {
 public:
  // `transaction`: its commit position; invalid: none is left out. Borrows the log.
  Skip(Lsn transaction, EventLog& events) : transaction_(transaction), events_(events) {}

  // Empties a part of that transaction, so that only the position moves; leaves others alone.
  void filter(TransactionPart& part);

 private:
  const Lsn transaction_;
  EventLog& events_;
  size_t changes_ = 0;
  std::set<std::string> tables_;
};

}  // namespace repld::link
