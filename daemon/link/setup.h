// Brings a new link from nothing to "copied, streaming from here", and starts over after a crash.
//
// Order, each step durable before the next:
//   1 progress row, phase setup         from now on slot and tables below are known to be ours
//   2 publication                       before the slot, so that it waits out older transactions
//   3 one target transaction: every table is empty, guarded, its triggers, rules and foreign keys
//     set aside, and noted in table_state
//   4 slot, with its snapshot
//   5 the copy
//   6 progress row: phase streaming, at the slot's consistent point
// A crash before 6 finds phase setup: the slot (if made) is dropped, the tables in table_state
// are truncated where the guard stands (they were empty when we began and guarded since; without
// a guard rows of others may be among ours, so such a table is refused until it is emptied), and
// it begins again at 2. A crash after 6 finds phase streaming. A slot of our name without a
// progress row is somebody else's and is refused.
#pragma once

#include <optional>

#include "apply/progress_store.h"
#include "link/shared.h"
#include "pg/replication_connection.h"
#include "pg/session.h"

namespace repld::link {

class Setup {
 public:
  // Borrows everything for the call of run().
  Setup(Shared& shared, pg::Session& source, pg::Session& target,
        pg::ReplicationConnection& replication, apply::ProgressStore& progress,
        const std::stop_token& stop);

  // `earlier`: the row that an attempt before left, in phase setup.
  // Returns the row in phase streaming. Throws Error.
  apply::ProgressRow run(const std::optional<apply::ProgressRow>& earlier);

 private:
  struct Plan {
    std::vector<SourceTable> tables;
    std::vector<TableName> targets;
    std::vector<std::vector<std::string>> columns;
  };

  void discard_earlier(const apply::ProgressRow& earlier);
  Plan plan_tables();
  Plan plan_under(const std::string& snapshot, const Plan& published);
  void fit(const SourceTable& table, Plan& plan);
  void take_over_targets(const Plan& plan, const std::string& guard_nonce);
  void copy(const Plan& plan, const std::string& snapshot, const std::string& guard_nonce);
  void show(const Plan& plan);

  Shared& shared_;
  pg::Session& source_;
  pg::Session& target_;
  pg::ReplicationConnection& replication_;
  apply::ProgressStore& progress_;
  const std::stop_token stop_;
};

}  // namespace repld::link
