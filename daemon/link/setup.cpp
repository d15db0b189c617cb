#include "link/setup.h"

#include <algorithm>
#include <chrono>

#include "apply/surroundings.h"
#include "base/failpoint.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "pg/catalog.h"
#include "stream/publication.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

// How long the application's open transactions on the target may hold up the set-up.
constexpr const char* kLockTimeout = "set local lock_timeout = '5s'";

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
            "Nothing was changed. Empty them, or list them in tables.exclude; repld looks again "
            "every few seconds.")
        .table(filled.front());
  }
}

}  // namespace

Setup::Setup(Shared& shared, pg::Session& source, pg::Session& target,
             pg::ReplicationConnection& replication, apply::ProgressStore& progress,
             const std::stop_token& stop)
    : shared_(shared),
      source_(source),
      target_(target),
      replication_(replication),
      progress_(progress),
      stop_(stop) {}

apply::ProgressRow Setup::run(const std::optional<apply::ProgressRow>& earlier) {
  const std::string slot_name = shared_.slot_name();
  shared_.set_state(LinkState::setting_up);
  if (earlier) {
    discard_earlier(*earlier);
  } else if (stream::read_slot(source_, slot_name)) {
    throw Error(ErrorKind::refused,
                fmt::format("replication slot \"{}\" exists, but not for this target", slot_name))
        .hint(
            "Choose another link.name, or drop the slot on the source if nothing uses it: "
            "select pg_drop_replication_slot({})",
            quote_literal(slot_name));
  }
  const Plan published = plan_tables();
  apply::ProgressRow row =
      progress_.create(shared_.settings.instance, slot_name, replication_.identify_system());
  failpoint("setup.after_progress_row");
  stream::ensure_publication(source_, slot_name, published.tables);
  take_over_targets(published, row.guard_nonce);
  failpoint("setup.after_guard");
  const pg::CreatedSlot slot = replication_.create_slot(slot_name);
  const auto slot_made_at = std::chrono::steady_clock::now();
  failpoint("setup.after_slot");
  const Plan plan = plan_under(slot.snapshot, published);
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

void Setup::discard_earlier(const apply::ProgressRow& earlier) {
  stream::drop_slot(source_, earlier.slot_name);
  target_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec_params("select set_config('repld.apply', $1, true)", earlier.guard_nonce);
    // Only what was guarded all the while holds nothing but what we copied. The rest is looked at
    // like any other table, and refused when it is not empty.
    std::vector<std::string> tables;
    for (const auto& row :
         transaction.exec_params(std::string(sql::kHalfCopiedTables), shared_.name(),
                                 apply::guard_name(shared_.name()))) {
      tables.push_back(quote_qualified(row[0].c_str(), row[1].c_str()));
    }
    if (shared_.settings.config.copy.initial && !tables.empty()) {
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
  std::vector<std::string> columns;
  for (const std::string& column : table.columns) {
    const TargetColumn* found = target->find_column(column);
    if (found == nullptr) {
      throw missing_column(table.name, column);
    }
    if (!found->generated) {
      columns.push_back(column);
    }
  }
  plan.tables.push_back(table);
  plan.targets.push_back(target->name);
  plan.columns.push_back(std::move(columns));
}

Setup::Plan Setup::plan_tables() {
  const auto all = source_.transact(
      [](pqxx::transaction_base& transaction) { return pg::read_source_tables(transaction); });
  Plan plan;
  for (const SourceTable& table : all) {
    if (replicates_table(shared_.settings.config, table.name.schema, table.name.name)) {
      fit(table, plan);
    }
  }
  if (plan.tables.empty()) {
    throw Error(ErrorKind::schema, "no table of the source matches tables.include")
        .hint("Check the patterns and the database that source.dsn names.");
  }
  return plan;
}

// The same tables as the snapshot shows them: a partition made a moment ago belongs to the copy
// or to the stream, and only the snapshot knows which.
Setup::Plan Setup::plan_under(const std::string& snapshot, const Plan& published) {
  const auto all = source_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec("set transaction isolation level repeatable read");
    transaction.exec("set transaction snapshot " + quote_literal(snapshot));
    return pg::read_source_tables(transaction);
  });
  Plan plan;
  for (const SourceTable& table : all) {
    const bool listed =
        std::any_of(published.tables.begin(), published.tables.end(),
                    [&](const SourceTable& candidate) { return candidate.oid == table.oid; });
    if (listed) {
      fit(table, plan);
    }
  }
  return plan;
}

void Setup::take_over_targets(const Plan& plan, const std::string& guard_nonce) {
  const Config& config = shared_.settings.config;
  apply::Surroundings surroundings(target_, shared_.name(), guard_nonce);
  target_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    for (const TableName& table : plan.targets) {
      transaction.exec(fmt::format("lock table {} in share row exclusive mode", quoted(table)));
    }
    if (config.copy.initial) {
      require_empty(transaction, plan.targets);
    }
    for (const TableName& table : plan.targets) {
      if (config.link.guard) {
        surroundings.install_guard(transaction, table);
      }
      surroundings.set_aside(transaction, table);
      transaction.exec_params(
          "insert into repld.table_state (link, schema_name, table_name, state) "
          "values ($1, $2, $3, 'copying')",
          shared_.name(), table.schema, table.name);
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
  request.columns = plan.columns;
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
