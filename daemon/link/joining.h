// Tables that join a link that streams, or leave it, because the configuration says so now: at
// each start of a session, so also when the configuration was read anew (SIGHUP).
//
// A table joins, each step durable before the next:
//   1 target: proven empty (or as copy.on_nonempty says), guarded, triggers and foreign keys set
//     aside, noted as 'joining'; its changes are left out of the stream (link/outsiders)
//   2 source: it joins the publication
//   3 every transaction that had begun by then has ended; the publication is stated again; every
//     transaction that had begun by then has ended
//   4 a fence, held: the target stands still where the snapshot is
//   5 the table is copied under the snapshot and noted as 'copied'
//   6 its changes count; the fence is released
// Why no row is lost: a transaction that began before 2 may write without being decoded as
// published. By 3 it has ended, so the snapshot of 4 shows it. A walsender keeps what it knows of a
// relation, and a transaction that is older than 2 but commits after it makes the walsender learn
// the old answer anew (servers before 15.13 and 17.5 do not tell it again). Stating the publication
// again makes it forget, once no such transaction is left; whoever committed in between has ended
// by the second wait, and is in the snapshot too. What commits after the fence has therefore
// written only while the table was published, and was decoded so.
// A crash before 5 finds 'joining': the table is emptied again, as far as it was found empty, and
// joins from 1. The target stands still in 5, so that there is one position for all tables; a
// crash of the target that forgets the end of 5 forgets nothing else.
//
// A session that has lost the link without knowing it may still be about to note 5: it does so only
// as the owner, and the next session locks the rows before it looks at them. A target that fails
// over may forget 1, or that a table was about to leave, while the source keeps the publication as
// it became: what the configuration wants is then about to join, what it does not to leave, and
// the publication is expected to list either or not (expected()).
//
// A table leaves:
//   1 noted as 'leaving'; its changes are left out from here on
//   2 source: it leaves the publication
//   3 target: guard, triggers, rules, foreign keys come back
//   4 those that had begun have ended, twice as above, and the stream has passed them: no change
//     of it can come any more. It is forgotten
// A crash anywhere finds 'leaving' and does all of it again.
//
// A table is adopted that the other direction carries and has copied: it is equal, and its changes
// are left out until its group moves (link/carriage). It only joins the publication, and waits as
// in 3, before it is noted as 'copied'; a crash in between adopts it again.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "apply/progress_store.h"
#include "link/outsiders.h"
#include "link/shared.h"
#include "link/table_plan.h"
#include "pg/session.h"
#include "pg/snapshot.h"

namespace repld::link {

class Joining {
 public:
  // Borrows; `outsiders` learns at once which tables are outside.
  Joining(Shared& shared, const apply::ProgressRow& row, Outsiders& outsiders)
      : shared_(shared), row_(row), outsiders_(outsiders) {}

  // Before the link streams, with its sessions: who leaves, who is to join. Returns whether there
  // is anything to do.
  bool look(pg::Session& source, pg::Session& target);

  // Who is to join, after look().
  const std::vector<SourceTable>& joining() const { return joining_; }
  // Of the publication: those may be in it already, where the target has forgotten that they were
  // about to join.
  stream::Published expected(pg::Session& target) const;

  // While it streams, on a thread of its own: until all is done or stopped. What does not fit is
  // told, held back and looked at again; the link goes on without it.
  // `adopted` is called each time that nobody is left to be adopted.
  void run(const std::stop_token& stop, const std::function<void()>& adopted);

 private:
  void mark_leaving(pg::Session& target, const TableName& table);
  void leave(pg::Session& source, pg::Session& target, const std::stop_token& stop);
  void adopt(pg::Session& source, pg::Session& target, const std::stop_token& stop);
  bool join(pg::Session& source, pg::Session& target, const std::stop_token& stop);
  std::vector<SourceTable> candidates(pg::Session& source, pg::Session& target, bool carried);
  bool consider(const SourceTable& table, pg::Session& source, pg::Session& target,
                TablePlan& plan);
  bool hold_back_filled(pg::Session& source, pg::Session& target, TablePlan& plan,
                        const std::stop_token& stop);
  void hold_back(const TableName& table, const Error& error);
  void publish(const TablePlan& plan, pg::Session& source, pg::Session& target);
  void wait_past_now(pg::Session& source, const std::stop_token& stop);
  void copy_at_fence(const TablePlan& plan, pg::Session& source, pg::Session& target,
                     const std::stop_token& stop);
  TablePlan shown_by(const pg::ExportedSnapshot& snapshot, const TablePlan& plan,
                     pg::Session& source, pg::Session& target);
  void show(const TableName& table, TableState state, const std::string& reason);
  void tell(const std::string& kind, const std::string& text);
  stream::PublicationId publication() const {
    return shared_.publication_id(row_.slot_name, row_.guard_nonce);
  }

  Shared& shared_;
  const apply::ProgressRow row_;
  Outsiders& outsiders_;
  std::vector<SourceTable> joining_;
  std::vector<SourceTable> adopting_;
  std::set<std::string> told_;  // once, not at every look
};

}  // namespace repld::link
