#include "link/setup.h"

#include <algorithm>
#include <chrono>

#include "apply/surroundings.h"
#include "base/failpoint.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "link/adoption.h"
#include "link/fillable.h"
#include "link/readiness.h"
#include "link/replicated.h"
#include "pg/catalog.h"
#include "stream/publication.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

constexpr const char* kDuplicateObject = "42710";

}  // namespace

Setup::Setup(Shared& shared, pg::Session& source, pg::Session& target,
             pg::ReplicationConnection& replication, apply::ProgressStore& progress,
             std::stop_token stop)
    : shared_(shared),
      source_(source),
      target_(target),
      replication_(replication),
      progress_(progress),
      stop_(std::move(stop)),
      existing_(existing_publications(shared.settings.config)),
      arming_(is_reverse(shared.name())) {}

apply::ProgressRow Setup::run(const std::optional<apply::ProgressRow>& earlier) {
  const std::string slot_name = shared_.slot_name();
  shared_.set_state(LinkState::setting_up);
  require_slot_name(earlier);
  if (earlier) {
    discard_earlier(*earlier);
  }
  Plan listed = examine();
  apply::ProgressRow row = progress_.create(shared_.settings.instance, slot_name,
                                            replication_.identify_system(), existing_);
  failpoint("setup.after_progress_row");
  const auto id = shared_.publication_id(slot_name, row.guard_nonce);
  take_over_targets(listed, publish(id, listed), row.guard_nonce);
  failpoint("setup.after_guard");
  const pg::CreatedSlot slot = create_slot(id, row);
  const auto slot_made_at = std::chrono::steady_clock::now();
  failpoint("setup.after_slot");
  pg::ExportedSnapshot snapshot{slot.snapshot, ""};
  Plan plan = plan_under(snapshot, listed);
  plan.filled = listed.filled;
  show(plan);
  if (shared_.settings.config.copy.initial && !arming_) {
    copy_plan(shared_, target_, plan, snapshot, row, stop_);
  }
  target_.transact([&](pqxx::transaction_base& transaction) {
    apply::require_owner(transaction, shared_.name(), row.owner);
    transaction.exec_params(
        "update repld.table_state set state = 'copied', copied_at = now() where link = $1",
        shared_.name());
  });
  failpoint("copy.before_done");
  progress_.begin_streaming(slot.consistent_point);
  row.phase = apply::Phase::streaming;
  row.lsn = slot.consistent_point;
  row.age_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - slot_made_at).count();
  return row;
}

void Setup::require_slot_name(const std::optional<apply::ProgressRow>& earlier) {
  const std::string name = shared_.slot_name();
  if (!existing_) {
    stream::require_name(source_,
                         shared_.publication_id(name, earlier ? earlier->guard_nonce : ""));
    return;
  }
  stream::SlotClaim claim;
  claim.name = name;
  stream::require_slot_name(source_, earlier ? slot_claim(*earlier) : claim);
}

// Everything that could refuse the link, before it leaves a trace on either side.
Setup::Plan Setup::examine() {
  Plan plan = plan_tables();
  require_ready(source_, target_, plan.tables, plan.targets, !existing_);
  if (!existing_) {
    stream::require_publishable(plan.tables);
  }
  if (arming_) {
    require_nothing_moved(plan);
    return plan;
  }
  require_fillable(unfillable_tables(source_, target_, plan.tables, plan.targets,
                                     shared_.settings.config, kLockTimeout, stop_),
                   plan.targets);
  return plan;
}

// What was written on the new primary before there is a slot would never come home.
void Setup::require_nothing_moved(const Plan& plan) {
  for (const TableName& table : plan.targets) {
    if (shared_.carries(table)) {
      throw Error(ErrorKind::refused, "the way back cannot be set up any more")
          .detail("table {} lives on the {} already, and what was written there is not kept",
                  table.full(), to_string(source_.side()))
          .hint("Run replctl finalize, and set up a link from there.")
          .table(table.full());
    }
  }
}

std::vector<stream::PublishedTable> Setup::publish(const stream::PublicationId& id,
                                                   const Plan& plan) {
  if (!existing_) {
    return stream::publish(source_, id, plan.tables);
  }
  if (!plan.left_out.empty()) {
    shared_.events.record("left_out", fmt::format("published and not replicated: {}",
                                                  fmt::join(plan.left_out, ", ")));
  }
  return {};
}

// A slot that somebody made meanwhile, perhaps in another database of the server, must not look
// like ours because of our publication: that goes, and the next attempt finds a slot without one.
pg::CreatedSlot Setup::create_slot(const stream::PublicationId& id, const apply::ProgressRow& row) {
  try {
    if (existing_) {
      progress_.note_slot_maker(replication_.backend());
    }
    pg::CreatedSlot slot = replication_.create_slot(id.name);
    failpoint("setup.before_slot_noted");
    if (existing_) {
      progress_.note_slot(slot.consistent_point);
    }
    return slot;
  } catch (const Error& error) {
    if (error.sqlstate() == kDuplicateObject && existing_) {
      stream::require_slot_name(source_, slot_claim(row));
    } else if (error.sqlstate() == kDuplicateObject) {
      stream::drop_publication_if_ours(source_, id);
      stream::require_name(source_, id);
    }
    throw;
  }
}

void Setup::discard_earlier(const apply::ProgressRow& earlier) {
  if (existing_) {
    stream::drop_slot_if_ours(source_, slot_claim(earlier));
  } else {
    stream::drop_slot_if_ours(source_,
                              shared_.publication_id(earlier.slot_name, earlier.guard_nonce));
  }
  target_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    empty_half_copied(transaction, shared_, "{copying,copied}", earlier.guard_nonce);
    forget_tables(transaction, shared_.name(), "{copying,copied}");
  });
}

// Without a snapshot: as it is now.
Setup::Sight Setup::look(const std::optional<pg::ExportedSnapshot>& snapshot) {
  return source_.transact([&](pqxx::transaction_base& transaction) {
    Sight sight;
    if (snapshot) {
      transaction.exec("set transaction isolation level repeatable read");
      sight.snapshot = pg::import_snapshot(transaction, *snapshot);
    }
    sight.tables =
        pg::read_source_tables(transaction, snapshot ? pg::Sizes::measured : pg::Sizes::estimated);
    if (existing_) {
      sight.supplies = stream::read_supplies(transaction, *existing_);
      require_one_column_list(sight.supplies);
      sight.tables = supplied_tables(sight.tables, sight.supplies);
    }
    return sight;
  });
}

Setup::Plan Setup::plan_tables() {
  Sight sight = look(std::nullopt);
  Plan plan;
  const std::set<TableName> copied =
      arming_ ? copied_by_opposite(source_, shared_.name()) : std::set<TableName>();
  for (const SourceTable& table : sight.tables) {
    const bool wanted =
        replicates_table(shared_.settings.config, table.name.schema, table.name.name);
    if (wanted && (!arming_ || copied.count(table.name) > 0)) {
      fit(target_, table, plan);
    }
  }
  if (plan.tables.empty()) {
    throw Error(ErrorKind::schema, existing_ ? "no table of the publications matches tables.include"
                                             : "no table of the source matches tables.include")
        .hint("Check the patterns and the database that source.dsn names.");
  }
  plan.left_out = left_out(shared_.settings.config, plan.tables, sight.supplies);
  plan.supplies = std::move(sight.supplies);
  return plan;
}

// The same tables as the snapshot shows them: a partition made a moment ago belongs to the copy
// or to the stream, and only the snapshot knows which.
Setup::Plan Setup::plan_under(pg::ExportedSnapshot& snapshot, const Plan& published) {
  Plan plan;
  const Sight sight = look(snapshot);
  snapshot.content = sight.snapshot;
  for (const SourceTable& table : sight.tables) {
    const bool listed =
        std::any_of(published.tables.begin(), published.tables.end(),
                    [&](const SourceTable& candidate) { return candidate.oid == table.oid; });
    if (listed) {
      fit(target_, table, plan);
    }
  }
  return plan;
}

void Setup::take_over_targets(Plan& plan, const std::vector<stream::PublishedTable>& published,
                              const std::string& guard_nonce) {
  target_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    if (arming_) {
      note_tables(transaction, shared_, plan, published, "copying", false);
    } else {
      take_over(transaction, shared_, plan, published, "copying", guard_nonce);
    }
  });
}

void Setup::show(const Plan& plan) {
  shared_.status.with([&](LinkStatus& status) {
    status.state = LinkState::copying;
    status.tables.clear();
    for (const SourceTable& table : plan.tables) {
      status.tables.push_back(shown_as(table, shared_.settings.config, TableState::copying));
    }
  });
}

}  // namespace repld::link
