// Tables that join a link without being copied: the other direction carries them.
#include "apply/progress_store.h"
#include "base/failpoint.h"
#include "link/joining.h"
#include "link/published.h"

namespace repld::link {

void Joining::adopt(pg::Session& source, pg::Session& target, const std::stop_token& stop) {
  adopting_ = candidates(source, target, false);
  if (adopting_.empty()) {
    return;
  }
  TablePlan plan;
  for (const SourceTable& table : adopting_) {
    fit(target, table, plan);
  }
  std::vector<stream::PublishedTable> listed;
  {
    const Unwatched changing(shared_);
    listed = stream::add_tables(source, publication(), plan.tables);
    watch(shared_, expected(target));
  }
  failpoint("adopt.after_publication");
  wait_past_now(source, stop);
  stream::restate(source, publication());
  wait_past_now(source, stop);
  target.transact([&](pqxx::transaction_base& transaction) {
    apply::require_owner(transaction, shared_.name(), row_.owner);
    note_tables(transaction, shared_, plan, listed, "copied", false);
  });
  adopting_.clear();
  watch(shared_, expected(target));
  for (const SourceTable& table : plan.tables) {
    shared_.events.record("adopted", fmt::format("table {}, which the link of the other direction "
                                                 "carries",
                                                 table.name.full()));
  }
}

}  // namespace repld::link
