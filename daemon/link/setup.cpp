#include "link/setup.h"

#include <algorithm>
#include <chrono>

#include "apply/surroundings.h"
#include "base/failpoint.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "link/adoption.h"
#include "link/readiness.h"
#include "pg/catalog.h"
#include "pg/snapshot.h"
#include "stream/publication.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

// How long the application's open transactions on the target may hold up the set-up.
constexpr const char* kLockTimeout = "set local lock_timeout = '5s'";

constexpr const char* kDuplicateObject = "42710";

std::string quoted(const TableName& table) { return quote_qualified(table.schema, table.name); }

void require_empty(pqxx::transaction_base& transaction, const std::vector<TableName>& tables) {
  std::vector<std::string> filled;
  for (const TableName& table : tables) {
    const auto rows =
        transaction.exec(fmt::format("select exists (select from {})", quoted(table)));
    if (rows[0][0].as<bool>()) {
      filled.push_back(table.full());
    }
  }
  if (!filled.empty()) {
    throw Error(ErrorKind::refused, "tables of the target are not empty")
        .detail("{}", fmt::join(filled, ", "))
        .hint(
            "Nothing was changed. Empty them (after replctl finalize, where the guard of an "
            "interrupted set-up stands), or list them in tables.exclude; repld looks again every "
            "few seconds.")
        .table(filled.front());
  }
}

// A column that the source computes does not stream: on the target it would never get a value.
Error plain_column(const TableName& table, const std::string& column) {
  Error error(ErrorKind::schema,
              fmt::format("column \"{}\" of \"{}\" is generated on the source and not on the "
                          "target",
                          column, table.full()));
  error.hint(
      "Its values are not in the stream. Make it generated on the target with the same expression, "
      "or drop it there, then run replctl resume.");
  return error.table(table.full());
}

uint32_t entry_of(const std::vector<stream::PublishedTable>& published, uint32_t oid) {
  if (published.empty()) {
    return 0;
  }
  const auto found =
      std::find_if(published.begin(), published.end(),
                   [&](const stream::PublishedTable& table) { return table.oid == oid; });
  REPLD_ASSERT(found != published.end());
  return found->entry;
}

// For repld.table_state; empty where the publication is ours.
std::string supply_text(const std::vector<TableSupply>& supplies, uint32_t oid) {
  const auto found = std::find_if(supplies.begin(), supplies.end(),
                                  [&](const TableSupply& supply) { return supply.oid == oid; });
  return found == supplies.end() ? "" : supply_json(*found);
}

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
      existing_(existing_publications(shared.settings.config)) {}

apply::ProgressRow Setup::run(const std::optional<apply::ProgressRow>& earlier) {
  const std::string slot_name = shared_.slot_name();
  shared_.set_state(LinkState::setting_up);
  require_slot_name(earlier);
  if (earlier) {
    discard_earlier(*earlier);
  }
  const Plan listed = examine();
  apply::ProgressRow row = progress_.create(shared_.settings.instance, slot_name,
                                            replication_.identify_system(), existing_);
  failpoint("setup.after_progress_row");
  const auto id = shared_.publication_id(slot_name, row.guard_nonce);
  take_over_targets(listed, publish(id, listed), row.guard_nonce);
  failpoint("setup.after_guard");
  const pg::CreatedSlot slot = create_slot(id, row);
  const auto slot_made_at = std::chrono::steady_clock::now();
  failpoint("setup.after_slot");
  const Plan plan = plan_under(slot.snapshot, listed);
  show(plan);
  if (shared_.settings.config.copy.initial) {
    copy(plan, slot.snapshot, row.guard_nonce);
  }
  target_.exec_params(
      "update repld.table_state set state = 'copied', copied_at = now() where link = $1",
      shared_.name());
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
  if (shared_.settings.config.copy.initial) {
    target_.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec(kLockTimeout);
      require_empty(transaction, plan.targets);
    });
  }
  return plan;
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
    transaction.exec_params("select set_config('repld.apply', $1, true)", earlier.guard_nonce);
    // Only what was found empty and guarded all the while holds nothing but what we copied. The
    // rest is looked at like any other table. With initial = false too: half a copy is not what
    // the operator takes as equal.
    std::vector<std::string> tables;
    for (const auto& row :
         transaction.exec_params(std::string(sql::kHalfCopiedTables), shared_.name(),
                                 apply::guard_name(shared_.name()))) {
      tables.push_back(quote_qualified(row[0].c_str(), row[1].c_str()));
    }
    if (!tables.empty()) {
      transaction.exec(fmt::format("truncate {}", fmt::join(tables, ", ")));
    }
    transaction.exec_params("delete from repld.copy_chunk where link = $1", shared_.name());
    transaction.exec_params("delete from repld.table_state where link = $1", shared_.name());
  });
}

void Setup::fit(const SourceTable& table, Plan& plan) {
  const std::optional<TargetTable> target = pg::read_target_table(target_, table.name);
  if (!target) {
    throw missing_table(table.name);
  }
  for (const std::string& column : table.columns) {
    if (target->find_column(column) == nullptr) {
      throw missing_column(table.name, column);
    }
  }
  for (const std::string& column : table.generated) {
    const TargetColumn* found = target->find_column(column);
    if (found != nullptr && !found->generated) {
      throw plain_column(table.name, column);
    }
  }
  plan.tables.push_back(table);
  for (SourceLeaf& leaf : plan.tables.back().leaves) {
    const auto computed = [&](const std::string& column) {
      return target->find_column(column)->generated;
    };
    leaf.columns.erase(std::remove_if(leaf.columns.begin(), leaf.columns.end(), computed),
                       leaf.columns.end());
  }
  plan.targets.push_back(target->name);
}

// Without a snapshot's name: as it is now.
Setup::Sight Setup::look(const std::string& snapshot) {
  return source_.transact([&](pqxx::transaction_base& transaction) {
    if (!snapshot.empty()) {
      transaction.exec("set transaction isolation level repeatable read");
      pg::import_snapshot(transaction, snapshot);
    }
    Sight sight;
    sight.tables = pg::read_source_tables(transaction);
    if (existing_) {
      sight.supplies = stream::read_supplies(transaction, *existing_);
      require_one_column_list(sight.supplies);
      sight.tables = supplied_tables(sight.tables, sight.supplies);
    }
    return sight;
  });
}

Setup::Plan Setup::plan_tables() {
  Sight sight = look("");
  Plan plan;
  for (const SourceTable& table : sight.tables) {
    if (replicates_table(shared_.settings.config, table.name.schema, table.name.name)) {
      fit(table, plan);
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
Setup::Plan Setup::plan_under(const std::string& snapshot, const Plan& published) {
  Plan plan;
  for (const SourceTable& table : look(snapshot).tables) {
    const bool listed =
        std::any_of(published.tables.begin(), published.tables.end(),
                    [&](const SourceTable& candidate) { return candidate.oid == table.oid; });
    if (listed) {
      fit(table, plan);
    }
  }
  return plan;
}

void Setup::take_over_targets(const Plan& plan,
                              const std::vector<stream::PublishedTable>& published,
                              const std::string& guard_nonce) {
  const Config& config = shared_.settings.config;
  apply::Surroundings surroundings(shared_.name(), guard_nonce);
  target_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    for (const TableName& table : plan.targets) {
      transaction.exec(fmt::format("lock table {} in share row exclusive mode", quoted(table)));
    }
    if (config.copy.initial) {
      require_empty(transaction, plan.targets);
    }
    for (size_t i = 0; i < plan.targets.size(); ++i) {
      const TableName& table = plan.targets[i];
      if (config.link.guard) {
        surroundings.install_guard(transaction, table);
      }
      surroundings.set_aside(transaction, table);
      transaction.exec_params(
          "insert into repld.table_state (link, schema_name, table_name, state, found_empty, "
          "source_oid, publication_entry, published) "
          "values ($1, $2, $3, 'copying', $4, $5, $6, nullif($7, '')::jsonb)",
          shared_.name(), table.schema, table.name, config.copy.initial, plan.tables[i].oid,
          entry_of(published, plan.tables[i].oid), supply_text(plan.supplies, plan.tables[i].oid));
    }
  });
}

void Setup::show(const Plan& plan) {
  shared_.status.with([&](LinkStatus& status) {
    status.state = LinkState::copying;
    status.tables.clear();
    for (const SourceTable& table : plan.tables) {
      TableStatus shown;
      shown.schema = table.name.schema;
      shown.name = table.name.name;
      shown.group = group_of(shared_.settings.config, shown.schema, shown.name);
      shown.state = TableState::copying;
      for (const SourceLeaf& leaf : table.leaves) {
        shown.bytes_total += leaf.bytes;
      }
      status.tables.push_back(std::move(shown));
    }
  });
}

void Setup::copy(const Plan& plan, const std::string& snapshot, const std::string& guard_nonce) {
  shared_.events.record("copying", fmt::format("{} tables", plan.tables.size()));
  const auto update = [this](const TableName& table, auto&& change) {
    shared_.status.with([&](LinkStatus& status) {
      for (TableStatus& shown : status.tables) {
        if (shown.schema == table.schema && shown.name == table.name) {
          change(shown);
        }
      }
    });
  };
  CopyRequest request;
  request.snapshot = snapshot;
  request.guard_nonce = guard_nonce;
  request.tables = plan.tables;
  request.targets = plan.targets;
  request.stop = stop_;
  request.progress = [&](const TableName& table, int64_t rows, int64_t bytes) {
    update(table, [&](TableStatus& shown) {
      shown.rows_copied += rows;
      shown.bytes_copied += bytes;
    });
    shared_.hooks.bytes_copied(table.full(), bytes);
  };
  request.finished = [&](const TableName& table) {
    update(table, [](TableStatus& shown) {
      shown.state = TableState::copied;
      shown.bytes_total = shown.bytes_copied;
    });
  };
  shared_.hooks.copy_tables(request);
  const LinkStatus status = shared_.status.copy();
  for (const TableStatus& table : status.tables) {
    target_.exec_params(
        "update repld.table_state set rows = $4, bytes = $5 "
        "where link = $1 and schema_name = $2 and table_name = $3",
        shared_.name(), table.schema, table.name, table.rows_copied, table.bytes_copied);
  }
  shared_.events.record("copied", fmt::format("{} tables", status.tables.size()));
}

}  // namespace repld::link
