// Brings a new link from nothing to "copied, streaming from here", and starts over after a crash.
//
// Order, each step durable before the next:
//   0 both sides are examined, nothing is written
//   1 progress row, phase setup, with the nonce by which all below is known to be ours
//   2 publication, with the nonce       before the slot, so that it waits out older transactions;
//                                       none with create_publication = false
//   3 one target transaction: every table is empty, or keeps its rows as copy.on_nonempty says;
//     guarded, its triggers, rules and foreign keys set aside, and noted in table_state
//   4 slot, with its snapshot           without a publication of ours the row notes its position
//   5 the copy; tables that kept their rows are compared and mended instead
//   6 progress row: phase streaming, at the slot's consistent point
// A crash before 6 finds phase setup and its nonce: publication and slot (if made) are ours by it,
// the slot is dropped; tables that table_state says we found empty are truncated where the guard
// stands (without a guard rows of others may be among ours, and with initial = false they were
// never ours, so such a table is examined like any other); and it begins again at 0. A crash after
// 6 finds phase streaming. A publication or slot of our name that is not ours by the nonce, also
// when it appears between two steps, is refused and left alone: see stream/publication.
//
// The way back is armed by the same steps, with the tables that the forward link has copied, and
// nothing is copied: as long as it carries no group (link/carriage) it passes by all that the
// forward link applies. Its target is the old primary, in full use: nothing there is guarded, set
// aside or emptied in 3.
#pragma once

#include <optional>

#include "apply/progress_store.h"
#include "core/supply.h"
#include "link/shared.h"
#include "link/table_plan.h"
#include "pg/replication_connection.h"
#include "pg/session.h"
#include "pg/snapshot.h"
#include "stream/publication.h"

namespace repld::link {

class Setup {
 public:
  // Borrows everything for the call of run().
  Setup(Shared& shared, pg::Session& source, pg::Session& target,
        pg::ReplicationConnection& replication, apply::ProgressStore& progress,
        std::stop_token stop);

  // `earlier`: the row that an attempt before left, in phase setup.
  // Returns the row in phase streaming. Throws Error.
  apply::ProgressRow run(const std::optional<apply::ProgressRow>& earlier);

 private:
  // What one snapshot shows of the source.
  struct Sight {
    std::vector<SourceTable> tables;
    std::vector<TableSupply> supplies;  // of existing publications, for all tables
    std::string snapshot;               // its content
  };
  struct Plan : TablePlan {
    std::vector<std::string> left_out;  // published and not replicated
  };

  void discard_earlier(const apply::ProgressRow& earlier);
  void require_slot_name(const std::optional<apply::ProgressRow>& earlier);
  Plan examine();
  void require_nothing_moved(const Plan& plan);
  Sight look(const std::optional<pg::ExportedSnapshot>& snapshot);
  Plan plan_tables();
  std::vector<stream::PublishedTable> publish(const stream::PublicationId& id, const Plan& plan);
  pg::CreatedSlot create_slot(const stream::PublicationId& id, const apply::ProgressRow& row);
  // `snapshot` gets its content.
  Plan plan_under(pg::ExportedSnapshot& snapshot, const Plan& published);
  void take_over_targets(Plan& plan, const std::vector<stream::PublishedTable>& published,
                         const std::string& guard_nonce);
  void show(const Plan& plan);

  Shared& shared_;
  pg::Session& source_;
  pg::Session& target_;
  pg::ReplicationConnection& replication_;
  apply::ProgressStore& progress_;
  const std::stop_token stop_;
  // Of others, that the link streams through; nothing: it makes one of its own.
  const std::optional<std::vector<std::string>> existing_;
  const bool arming_;  // the way back
};

}  // namespace repld::link
