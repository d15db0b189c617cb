#include "link/finalize.h"

#include <functional>
#include <memory>

#include "apply/progress_store.h"
#include "apply/restoration.h"
#include "apply/row_guard.h"
#include "apply/surroundings.h"
#include "core/direction.h"
#include "embedded_sql.h"
#include "link/adoption.h"
#include "link/finalize_moves.h"
#include "link/renames.h"
#include "pg/migrations.h"
#include "stream/publication.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

constexpr const char* kAgain = "Run replctl finalize again.";

// Null when the source is gone.
std::unique_ptr<pg::Session> connect_source(const Shared& shared, bool source_gone) {
  if (source_gone) {
    return nullptr;
  }
  try {
    return std::make_unique<pg::Session>(shared.settings.source);
  } catch (Error& error) {
    const std::string advice = error.hint().empty() ? "" : error.hint() + " ";
    throw error.hint("{}If the source is gone for good: replctl finalize --source-gone.", advice);
  }
}

bool has_publication(pg::Session& source, const std::string& name) {
  return !source.exec_params("select from pg_publication where pubname = $1", name).empty();
}

// What nothing proves to be ours, by name. `publishes`: the link makes a publication of its own.
std::vector<std::string> unproven(pg::Session* source, const std::string& name, bool publishes) {
  if (source == nullptr) {
    return {publishes ? fmt::format("the source was not asked: slot {} and publication {} are "
                                    "still there if it comes back",
                                    name, name)
                      : fmt::format("the source was not asked: slot {} is still there if it comes "
                                    "back",
                                    name)};
  }
  std::vector<std::string> left;
  const auto leave = [&](const std::string& what) {
    left.push_back(
        fmt::format("{} {} of the source was left: nothing proves that it is of this "
                    "link; drop it if nothing uses it",
                    what, name));
  };
  if (const auto slot = stream::read_slot(*source, name); slot && slot->here) {
    leave("slot");
  }
  if (publishes && has_publication(*source, name)) {
    leave("publication");
  }
  return left;
}

// Removes what is of the link on the source, the slot first; returns what is of it still.
using Clearing = std::function<std::vector<std::string>(pg::Session& source)>;

Clearing clearing_of(const Shared& shared, const std::optional<apply::ProgressRow>& row) {
  if (!row) {
    return [](pg::Session&) { return std::vector<std::string>(); };
  }
  if (row->publications) {
    return [claim = slot_claim(*row)](pg::Session& source) {
      stream::drop_slot_if_ours(source, claim);
      return stream::leftovers(source, claim);
    };
  }
  return [id = shared.publication_id(row->slot_name, row->guard_nonce)](pg::Session& source) {
    stream::drop_if_ours(source, id);
    return stream::leftovers(source, id);
  };
}

void prove_gone(Shared& shared, pg::Session& target, std::vector<std::string> left) {
  for (const auto& row :
       target.exec_params(std::string(sql::kGuardedTables), apply::guard_names(shared.name()))) {
    left.push_back(fmt::format("guard of {}.{}", row[0].c_str(), row[1].c_str()));
  }
  for (const auto& row : target.exec_params(
           "select kind, schema_name, table_name, name from repld.set_aside where link = $1 "
           "order by 1, 2, 3, 4",
           shared.name())) {
    left.push_back(fmt::format("{} {} of {}.{}, set aside", row[0].c_str(), row[3].c_str(),
                               row[1].c_str(), row[2].c_str()));
  }
  if (!target.exec_params("select from repld.progress where link = $1", shared.name()).empty()) {
    left.emplace_back("progress row");
  }
  if (!left.empty()) {
    throw Error(ErrorKind::refused, "something of the link is still there")
        .detail("{}", fmt::join(left, ", "))
        .hint("Look at replctl events for the reason. {}", kAgain);
  }
}

Error interrupted() {
  return Error(ErrorKind::refused, "finalize was interrupted").hint("{}", kAgain);
}

void forget_state(Shared& shared, pg::Session& target) {
  target.transact([&](pqxx::transaction_base& transaction) {
    for (const char* table :
         {"copy_chunk", "table_state", "verification", "refetch", "flip", "progress"}) {
      transaction.exec_params(fmt::format("delete from repld.{} where link = $1", table),
                              shared.name());
    }
  });
  shared.status.with([](LinkStatus& status) {
    status.copied = false;
    status.tables.clear();
    status.error.reset();
  });
  for (Synchronized<Awaited>* awaited : {&shared.healing, &shared.resyncs}) {
    awaited->with([](Awaited& value) { value.done = value.asked; });
  }
}

}  // namespace

std::vector<std::string> finalize(Shared& shared, bool source_gone, const std::stop_token& stop) {
  pg::Session target(shared.settings.target);
  const std::unique_ptr<pg::Session> source = connect_source(shared, source_gone);
  pg::migrate(target);
  pg::Connection owner(shared.settings.target, pg::Purpose::control);
  apply::ProgressStore progress(owner, shared.name());
  const auto refuse = [](const std::string& text) {
    throw Error(ErrorKind::refused, text).hint("Stop that daemon first.");
  };
  if (stop.stop_requested() || !progress.lock(shared.settings.instance, stop, refuse)) {
    throw interrupted();
  }
  const std::optional<apply::ProgressRow> row = progress.claim(shared.settings.instance);
  const std::vector<std::string> still =
      source ? clearing_of(shared, row)(*source) : std::vector<std::string>();
  const bool publishes = row ? !row->publications : shared.settings.config.link.create_publication;
  std::vector<std::string> left =
      unproven(source.get(), row ? row->slot_name : shared.slot_name(), publishes);
  follow_on_target(target, shared.name());
  forget_state(shared, target);
  const auto tell = [&shared](const std::string& kind, const std::string& message) {
    shared.events.record(kind, message);
  };
  if (!apply::Restoration(target, shared.name(), tell).run(stop) ||
      (!is_reverse(shared.name()) && !forget_moves(shared, source.get(), target, stop))) {
    shared.events.store(target);
    throw interrupted();
  }
  for (const std::string& what : left) {
    shared.events.record("left", what);
  }
  shared.events.store(target);
  prove_gone(shared, target, still);
  shared.events.record("finalized", !source     ? "guard and state are removed"
                                    : publishes ? "slot, publication, guard and state are removed"
                                                : "slot, guard and state are removed");
  shared.events.store(target);
  return left;
}

}  // namespace repld::link
