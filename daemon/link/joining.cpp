#include "link/joining.h"

#include <algorithm>

#include "apply/restoration.h"
#include "base/failpoint.h"
#include "base/pause.h"
#include "core/xid.h"
#include "embedded_sql.h"
#include "link/fence.h"
#include "link/fillable.h"
#include "link/published.h"
#include "link/readiness.h"
#include "link/replicated.h"
#include "link/slot_blocker.h"
#include "pg/catalog.h"

namespace repld::link {

namespace {

using std::chrono::milliseconds;

// From one to the next: locks that we wait for have others queue behind us.
constexpr milliseconds kLookAgain{2000};
constexpr milliseconds kLookAgainMax{15'000};
constexpr milliseconds kAskAgain{200};

void require_going_on(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    throw Error(ErrorKind::connect, "stopped");
  }
}

std::string reason_of(const Error& error) {
  std::string reason = error.what();
  if (!error.detail().empty()) {
    reason += "; " + error.detail();
  }
  return error.hint().empty() ? reason : reason + " HINT: " + error.hint();
}

}  // namespace

bool Joining::look(pg::Session& source, pg::Session& target) {
  size_t staying = 0;
  std::vector<TableName> leaving;
  const auto noted = target.exec_params(
      "select schema_name, table_name, state from repld.table_state where link = $1 order by 1, 2",
      shared_.name());
  for (const auto& row : noted) {
    const TableName table{row[0].c_str(), row[1].c_str()};
    const bool wanted = replicates_table(shared_.settings.config, table.schema, table.name);
    const bool copied = std::string(row[2].c_str()) == "copied";
    staying += copied && wanted ? 1U : 0U;
    if (!copied || !wanted) {
      outsiders_.add(table);
    }
    if (!wanted) {
      leaving.push_back(table);
    }
  }
  // A slip in a pattern must not give the whole copy up.
  if (staying == 0 && !leaving.empty()) {
    throw Error(ErrorKind::schema, "no table of the link matches tables.include")
        .detail("{} are replicated, {} among them", leaving.size(), leaving.front().full())
        .hint(
            "Nothing was changed. Mend the patterns and reload (SIGHUP) or run replctl resume; "
            "replctl finalize ends the link.");
  }
  for (const TableName& table : leaving) {
    mark_leaving(target, table);
  }
  joining_ = candidates(source, target, true);
  for (const SourceTable& table : joining_) {
    outsiders_.add(table.name);
  }
  adopting_ = candidates(source, target, false);
  return staying < noted.size() || !joining_.empty() || !adopting_.empty();
}

stream::Published Joining::expected(pg::Session& target) const {
  stream::Published published = read_published(target, shared_, row_);
  for (const SourceTable& table : joining_) {
    published.changing.push_back({table.name, table.oid, 0});
  }
  for (const SourceTable& table : adopting_) {
    published.changing.push_back({table.name, table.oid, 0});
  }
  return published;
}

// One that was joining holds part of a copy.
void Joining::mark_leaving(pg::Session& target, const TableName& table) {
  target.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    empty_half_copied(transaction, shared_, "{joining}", row_.guard_nonce);
    transaction.exec_params(
        "update repld.table_state set state = 'leaving' "
        "where link = $1 and schema_name = $2 and table_name = $3",
        shared_.name(), table.schema, table.name);
  });
  failpoint("leave.after_mark");
}

void Joining::run(const std::stop_token& stop, const std::function<void()>& adopted) {
  bool done = false;
  milliseconds before_next = kLookAgain;
  while (!done && !stop.stop_requested()) {
    try {
      pg::Session source(shared_.settings.source);
      pg::Session target(shared_.settings.target);
      const std::stop_callback on_stop(stop, [&] {
        source.cancel();
        target.cancel();
      });
      leave(source, target, stop);
      adopt(source, target, stop);
      adopted();
      done = join(source, target, stop);
    } catch (const Error& error) {
      if (!stop.stop_requested()) {
        tell("waiting", "tables that join or leave: " + reason_of(error));
      }
    } catch (const std::exception& failure) {
      tell("waiting", std::string("tables that join or leave: ") + failure.what());
    }
    if (!done) {
      pause(before_next, stop);
      before_next = std::min(2 * before_next, kLookAgainMax);
    }
  }
}

void Joining::leave(pg::Session& source, pg::Session& target, const std::stop_token& stop) {
  std::vector<stream::PublishedTable> leaving;
  for (const auto& row :
       target.exec_params("select schema_name, table_name, coalesce(source_oid, 0)::bigint, "
                          "coalesce(publication_entry, 0)::bigint from repld.table_state "
                          "where link = $1 and state = 'leaving' order by 1, 2",
                          shared_.name())) {
    leaving.push_back(
        {{row[0].c_str(), row[1].c_str()}, row[2].as<uint32_t>(), row[3].as<uint32_t>()});
  }
  if (leaving.empty()) {
    return;
  }
  {
    const Unwatched changing(shared_);
    stream::drop_tables(source, publication(), leaving);
    watch(shared_, expected(target));
  }
  failpoint("leave.after_publication");
  const auto tell_now = [this](const std::string& kind, const std::string& message) {
    shared_.events.record(kind, message);
  };
  if (!apply::Restoration(target, shared_.name(), tell_now, apply::Restoration::Scope::leaving)
           .run(stop)) {
    throw Error(ErrorKind::connect, "stopped");
  }
  // As a table that joins waits, so that no change of it can come any more.
  wait_past_now(source, stop);
  stream::restate(source, publication());
  wait_past_now(source, stop);
  FenceOptions options;
  options.hold = true;
  Fence(shared_, options, stop).release();
  target.transact([&](pqxx::transaction_base& transaction) {
    forget_tables(transaction, shared_.name(), "{leaving}");
  });
  for (const stream::PublishedTable& table : leaving) {
    outsiders_.remove(table.name);
    shared_.events.record(
        "left", fmt::format("table {} is no longer replicated; its rows stay", table.name.full()));
  }
  watch(shared_, expected(target));
}

// Tables that the link does not have yet. `carried`: those that it is to copy; else those that the
// other direction has copied, and carries.
std::vector<SourceTable> Joining::candidates(pg::Session& source, pg::Session& target,
                                             bool carried) {
  std::set<TableName> names;
  std::set<uint32_t> oids;
  for (const auto& row :
       target.exec_params("select schema_name, table_name, coalesce(source_oid, 0)::bigint from "
                          "repld.table_state where link = $1 and state = 'copied'",
                          shared_.name())) {
    names.insert({row[0].c_str(), row[1].c_str()});
    oids.insert(row[2].as<uint32_t>());
  }
  std::vector<SourceTable> tables = source.transact([](pqxx::transaction_base& transaction) {
    return pg::read_source_tables(transaction, pg::Sizes::estimated);
  });
  const std::set<TableName> copied =
      carried ? std::set<TableName>() : copied_by_opposite(source, shared_.name());
  const auto is_none = [&](const SourceTable& table) {
    const TableName& name = table.name;
    const bool wanted = replicates_table(shared_.settings.config, name.schema, name.name) &&
                        shared_.carries(name) == carried;
    return names.count(name) > 0 || oids.count(table.oid) > 0 || !wanted ||
           (!carried && copied.count(name) == 0);
  };
  tables.erase(std::remove_if(tables.begin(), tables.end(), is_none), tables.end());
  return tables;
}

bool Joining::join(pg::Session& source, pg::Session& target, const std::stop_token& stop) {
  target.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kShortLockTimeout);
    empty_half_copied(transaction, shared_, "{joining}", row_.guard_nonce);
  });
  TablePlan plan;
  bool all = true;
  for (const SourceTable& table : candidates(source, target, true)) {
    outsiders_.add(table.name);
    all = consider(table, source, target, plan) && all;
  }
  all = hold_back_filled(source, target, plan, stop) && all;
  if (!plan.tables.empty()) {
    for (const TableName& known_as : plan.targets) {
      outsiders_.add(known_as);
    }
    target.transact([&](pqxx::transaction_base& transaction) {
      apply::require_owner(transaction, shared_.name(), row_.owner);
      transaction.exec(kShortLockTimeout);
      take_over(transaction, shared_, plan, {}, "joining", row_.guard_nonce);
    });
    // Before anything of them streams that is theirs.
    outsiders_.look_anew();
    failpoint("join.after_guard");
    publish(plan, source, target);
    failpoint("join.after_publication");
    wait_past_now(source, stop);
    stream::restate(source, publication());
    wait_past_now(source, stop);
    copy_at_fence(plan, source, target, stop);
    watch(shared_, expected(target));
  }
  // What is held back is told by itself; but one that is copied afresh was there before.
  const bool copied =
      target
          .exec_params(
              "select from repld.table_state where link = $1 and state = 'joining' limit 1",
              shared_.name())
          .empty();
  shared_.status.with([&](LinkStatus& status) { status.copied = copied; });
  return all;
}

// Whether the table can join; then it is in the plan.
bool Joining::consider(const SourceTable& table, pg::Session& source, pg::Session& target,
                       TablePlan& plan) {
  try {
    TablePlan alone;
    fit(target, table, alone);
    require_own_target(table.name, alone.targets.front());
    require_tables_ready(source, target, alone.tables, alone.targets, true);
    stream::require_publishable(alone.tables);
    plan.tables.push_back(alone.tables.front());
    plan.targets.push_back(alone.targets.front());
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::connect) {
      throw;
    }
    hold_back(table.name, error);
    return false;
  }
}

// Whether all of the plan may be filled; those that may not are taken out of it.
bool Joining::hold_back_filled(pg::Session& source, pg::Session& target, TablePlan& plan,
                               const std::stop_token& stop) {
  const auto unfillable = unfillable_tables(source, target, plan.tables, plan.targets,
                                            shared_.settings.config, kShortLockTimeout, stop);
  TablePlan fillable;
  for (size_t i = 0; i < plan.tables.size(); ++i) {
    if (const auto found = unfillable.find(i); found != unfillable.end()) {
      hold_back(plan.tables[i].name, refusal(found->second, {plan.targets[i]}));
    } else {
      fillable.tables.push_back(plan.tables[i]);
      fillable.targets.push_back(plan.targets[i]);
    }
  }
  plan = std::move(fillable);
  return unfillable.empty();
}

void Joining::hold_back(const TableName& table, const Error& error) {
  const std::string reason = reason_of(error);
  show(table, TableState::refused, reason);
  tell("held_back", fmt::format("table {}: {}", table.full(), reason));
}

void Joining::publish(const TablePlan& plan, pg::Session& source, pg::Session& target) {
  const Unwatched changing(shared_);
  for (const stream::PublishedTable& listed :
       stream::add_tables(source, publication(), plan.tables)) {
    target.exec_params(
        "update repld.table_state set publication_entry = $3 "
        "where link = $1 and source_oid = $2 and state = 'joining'",
        shared_.name(), listed.oid, listed.entry);
  }
  watch(shared_, expected(target));
}

// Every transaction that has an id now.
void Joining::wait_past_now(pg::Session& source, const std::stop_token& stop) {
  const uint32_t xid = fresh_xid(source);
  const auto ended = [&] {
    const auto row = source.exec("select pg_current_snapshot()")[0];
    return !xid_precedes(SourceSnapshot::parse(row[0].c_str()).xmin(), xid);
  };
  while (!ended()) {
    require_going_on(stop);
    if (const auto blocker = slot_blocker(source)) {
      tell("waiting", blocker->message + "; " + blocker->detail + " HINT: " + blocker->hint);
    }
    pause(kAskAgain, stop);
  }
}

void Joining::copy_at_fence(const TablePlan& plan, pg::Session& source, pg::Session& target,
                            const std::stop_token& stop) {
  FenceOptions options;
  options.hold = true;
  Fence fence(shared_, options, stop);
  TablePlan shown = shown_by(fence.source_snapshot(), plan, source, target);
  shown.filled = plan.filled;
  for (const SourceTable& table : shown.tables) {
    show(table.name, TableState::copying, "");
  }
  if (shared_.settings.config.copy.initial) {
    copy_plan(shared_, target, shown, fence.source_snapshot(), row_, stop);
  }
  failpoint("join.before_done");
  target.transact([&](pqxx::transaction_base& transaction) {
    apply::require_owner(transaction, shared_.name(), row_.owner);
    for (const SourceTable& table : shown.tables) {
      transaction.exec_params(
          "update repld.table_state set state = 'copied', copied_at = now() "
          "where link = $1 and source_oid = $2 and state = 'joining'",
          shared_.name(), table.oid);
    }
  });
  for (const TableName& known_as : shown.targets) {
    outsiders_.remove(known_as);
  }
  for (const SourceTable& table : shown.tables) {
    outsiders_.remove(table.name);
    show(table.name, TableState::copied, "");
    shared_.events.record("joined", fmt::format("table {}", table.name.full()));
  }
}

// With the partitions that the snapshot knows.
TablePlan Joining::shown_by(const pg::ExportedSnapshot& snapshot, const TablePlan& plan,
                            pg::Session& source, pg::Session& target) {
  const std::vector<SourceTable> tables = source.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec("set transaction isolation level repeatable read");
    pg::import_snapshot(transaction, snapshot);
    // Sizes are asked of files, so that DDL of the application may be in the way.
    transaction.exec(kShortLockTimeout);
    return pg::read_source_tables(transaction, pg::Sizes::measured);
  });
  TablePlan shown;
  for (const SourceTable& table : tables) {
    if (std::any_of(plan.tables.begin(), plan.tables.end(),
                    [&](const SourceTable& each) { return each.oid == table.oid; })) {
      fit(target, table, shown);
    }
  }
  return shown;
}

void Joining::show(const TableName& table, TableState state, const std::string& reason) {
  shared_.status.with([&](LinkStatus& status) {
    if (TableStatus* shown = find_table(status, table)) {
      shown->state = state;
      shown->reason = reason;
    }
  });
}

void Joining::tell(const std::string& kind, const std::string& text) {
  if (told_.insert(kind + text).second) {
    shared_.events.record(kind, text);
  }
}

}  // namespace repld::link
