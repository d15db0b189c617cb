#include "link/finalize.h"

#include "apply/progress_store.h"
#include "apply/surroundings.h"
#include "embedded_sql.h"
#include "pg/migrations.h"
#include "stream/publication.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

void prove_gone(Shared& shared, pg::Session& source, pg::Session& target) {
  const std::string slot = shared.slot_name();
  std::vector<std::string> left;
  if (stream::read_slot(source, slot)) {
    left.push_back("slot " + slot);
  }
  if (!source.exec_params("select from pg_publication where pubname = $1", slot).empty()) {
    left.push_back("publication " + slot);
  }
  for (const auto& row :
       target.exec_params(std::string(sql::kGuardedTables), apply::guard_name(shared.name()))) {
    left.push_back(fmt::format("guard of {}.{}", row[0].c_str(), row[1].c_str()));
  }
  if (!target.exec_params("select from repld.set_aside where link = $1", shared.name()).empty()) {
    left.push_back("journal of what was set aside");
  }
  if (!target.exec_params("select from repld.progress where link = $1", shared.name()).empty()) {
    left.push_back("progress row");
  }
  if (!left.empty()) {
    throw Error(ErrorKind::refused, "something of the link is still there")
        .detail("{}", fmt::join(left, ", "))
        .hint("Run replctl finalize again.");
  }
}

}  // namespace

void finalize(Shared& shared, const std::stop_token& stop) {
  pg::Session target(shared.settings.target);
  pg::Session source(shared.settings.source);
  pg::migrate(target);
  pg::Connection owner(shared.settings.target, pg::Purpose::control);
  apply::ProgressStore progress(owner, shared.name());
  const auto refuse = [](const std::string& text) {
    throw Error(ErrorKind::refused, text).hint("Stop that daemon first.");
  };
  if (!progress.lock(shared.settings.instance, stop, refuse)) {
    return;
  }
  if (const auto row = progress.claim(shared.settings.instance)) {
    stream::drop_slot(source, row->slot_name);
    stream::drop_publication(source, row->slot_name);
    apply::Surroundings(target, shared.name(), row->guard_nonce).restore();
  }
  target.transact([&](pqxx::transaction_base& transaction) {
    for (const char* table : {"copy_chunk", "table_state", "progress"}) {
      transaction.exec_params(fmt::format("delete from repld.{} where link = $1", table),
                              shared.name());
    }
  });
  prove_gone(shared, source, target);
  shared.events.record("finalized", "slot, publication, guard and state are removed");
  shared.events.store(target);
  shared.status.with([](LinkStatus& status) {
    status.copied = false;
    status.tables.clear();
    status.error.reset();
  });
}

}  // namespace repld::link
