// What a session finds out about the tables of its target, and does to them, before it streams.
#include <algorithm>

#include "link/replicated.h"
#include "link/session.h"
#include "link/table_plan.h"

namespace repld::link {

namespace {

// What the monitor saw of a proof that is still the last one.
void keep_suspicions(const LinkStatus& before, std::vector<TableStatus>& shown) {
  for (TableStatus& table : shown) {
    for (const TableStatus& old : before.tables) {
      const bool same = old.source_oid == table.source_oid && table.source_oid != 0 && old.proof &&
                        table.proof && old.proven_shape == table.proven_shape;
      if (same && table.proof->suspicion.empty() && old.proof->suspicion == kShapeSuspicion) {
        table.proof->suspicion = kShapeSuspicion;
      }
    }
  }
}

}  // namespace

// As far as the target knows, before the source is asked.
void LinkSession::assume_routes() {
  if (!shared_.carriage.copy()) {
    CarriagePtr carriage = read_carriage(shared_.name(), shared_.settings.config, *target_);
    shared_.carriage.with([&](CarriagePtr& current) { current = std::move(carriage); });
  }
}

void LinkSession::read_routes() {
  arming_ = shared_.arming.copy().asked;
  CarriagePtr carriage = read_carriage(shared_.name(), shared_.settings.config, *source_, *target_);
  shared_.carriage.with([&](CarriagePtr& current) { current = std::move(carriage); });
}

void LinkSession::note_armed() {
  shared_.arming.with([this](Awaited& value) { value.done = arming_; });
}

// Shows the tables that the link carries, and brings partitions that were made since under the
// guard. What lives here is left alone: its guard is off, and its triggers are the application's.
void LinkSession::prepare_tables() {
  const CarriagePtr carriage = shared_.carriage.copy();
  std::vector<TableStatus> shown = shown_tables(*target_, shared_);
  std::vector<TableName> tables;
  for (const TableStatus& table : shown) {
    tables.push_back({table.schema, table.name});
  }
  surroundings_ =
      std::make_unique<apply::Surroundings>(shared_.name(), row_->guard_nonce, shared_.lives_on());
  target_->transact([&](pqxx::transaction_base& transaction) {
    // Those of the old primary are read by its applications.
    transaction.exec(is_reverse(shared_.name()) ? kShortLockTimeout : kLockTimeout);
    const Routes routes =
        link::read_routes(transaction, configured_name(shared_.name()), Rows::locked);
    if (routes != carriage->of_target()) {
      throw Error(ErrorKind::connect, "a group has moved meanwhile");
    }
    if (shared_.settings.config.link.guard) {
      surroundings_->install_guard(transaction, tables);
    }
    surroundings_->set_aside(transaction, tables);
  });
  keep_suspicions(shared_.status.copy(), shown);
  const bool overtaken = std::any_of(shown.begin(), shown.end(), [](const TableStatus& table) {
    return table.proof && !table.proof->suspicion.empty();
  });
  const bool copied = joining_ == nullptr || joining_->joining().empty();
  if (!copied) {
    for (const SourceTable& table : joining_->joining()) {
      shown.push_back(shown_as(table, shared_.settings.config, TableState::pending));
    }
  }
  shared_.status.with([&](LinkStatus& status) {
    status.copied = copied;
    status.tables = std::move(shown);
  });
  shared_.resyncs.with([this](Awaited& value) { value.done = resyncs_; });
  if (overtaken) {
    shared_.hooks.overtaken();
  }
}

}  // namespace repld::link
