#include "link/resync.h"

#include "embedded_sql.h"
#include "link/replicated.h"
#include "link/table_plan.h"
#include "pg/migrations.h"

namespace repld::link {

void mark_for_resync(Shared& shared, const std::vector<std::string>& tables) {
  if (!shared.settings.config.link.guard || !shared.settings.config.link.create_publication) {
    throw Error(ErrorKind::refused, "this link does not copy tables afresh")
        .detail("it has no guard, or no publication of its own")
        .hint("Use replctl repair; or replctl finalize, empty the tables, and start again.");
  }
  pg::Session target(shared.settings.target);
  pg::require_not_newer(target);
  std::vector<TableName> marked;
  target.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    const Carriage carriage = hold_carriage(transaction, shared.name(), shared.settings.config);
    for (const std::string& table : tables) {
      const auto rows =
          transaction.exec_params(std::string(sql::kMarkForResync), shared.name(), table);
      if (rows.empty()) {
        throw Error(ErrorKind::refused, fmt::format("\"{}\" is no copied table of the link", table))
            .detail("nothing was changed")
            .hint("replctl tables lists them.");
      }
      const TableName name{rows[0][0].c_str(), rows[0][1].c_str()};
      if (!carriage.carries(name) || !shared.carries(name)) {
        throw Error(ErrorKind::refused,
                    fmt::format("\"{}\" is written where the link would copy it to", table))
            .detail("nothing was changed")
            .hint("Its group has moved: the copy is on the other side.")
            .table(name.full());
      }
      marked.push_back(name);
    }
  });
  // A session that is starting may have looked at the tables before, and show them as copied.
  shared.resyncs.with([](Awaited& value) { ++value.asked; });
  shared.status.with([&](LinkStatus& status) {
    for (const TableName& table : marked) {
      if (TableStatus* shown = find_table(status, table)) {
        shown->state = TableState::pending;
      }
    }
  });
  shared.events.record("resync", fmt::format("{} tables are emptied and copied afresh: {}",
                                             tables.size(), fmt::join(tables, ", ")));
}

}  // namespace repld::link
