// Changes in the stream that are not to be applied because their tables live on the other side:
// what somebody wrote to a replica past its guard.
//
// They are left out, so that nothing of them gets over the primary, and told: an event, a metric,
// and the proof of the table is overtaken, which is of the link of the other direction. The alarm
// is given before their position is passed, and again after a crash in between.
//
// A transaction that moves a group ends the attempt, see link/carriage.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "core/table.h"
#include "core/transaction.h"
#include "link/carriage.h"
#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

class Rogues {
 public:
  // The table that a relation of the stream belongs to.
  using RootOf = std::function<TableName(const Relation& relation)>;

  // Borrows all but the carriage.
  Rogues(Shared& shared, CarriagePtr carriage, pg::Session& source, pg::Session& target,
         RootOf root_of)
      : shared_(shared),
        carriage_(std::move(carriage)),
        source_(source),
        target_(target),
        root_of_(std::move(root_of)) {}

  // The applier's thread. Throws Error(connect) when a group has moved.
  void filter(TransactionPart& part);

 private:
  void meet(const TransactionPart& part);
  bool is_outside(const Relation& relation, const TransactionPart& part);
  const TableName& root_of(const Relation& relation);
  void alarm(const TransactionPart& part);

  Shared& shared_;
  const CarriagePtr carriage_;
  pg::Session& source_;
  pg::Session& target_;
  const RootOf root_of_;
  std::map<uint32_t, TableName> roots_;  // by oid
  // Of the transaction that is open: relations by oid, changes.
  std::map<uint32_t, bool> outside_;
  std::map<TableName, int64_t> found_;
  std::map<TableName, int64_t> untold_;         // changes that no event has told yet
  std::chrono::steady_clock::time_point told_;  // so that a flood of them is none of events
};

}  // namespace repld::link
