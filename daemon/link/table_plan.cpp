#include "link/table_plan.h"

#include <algorithm>

#include "apply/surroundings.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "link/fillable.h"
#include "link/replicated.h"
#include "pg/catalog.h"

namespace repld::link {

namespace {

std::string quoted(const TableName& table) { return quote_qualified(table.schema, table.name); }

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

// Shows what a copy does to one table.
template <typename Change>
void update(Shared& shared, const TableName& table, Change&& change) {
  shared.status.with([&](LinkStatus& status) {
    if (TableStatus* shown = find_table(status, table)) {
      change(*shown);
    }
  });
}

}  // namespace

void require_own_target(const TableName& table, const TableName& target) {
  if (table != target) {
    throw Error(ErrorKind::schema, fmt::format("\"{}\" is a partition of \"{}\" on the target",
                                               table.full(), target.full()))
        .hint("Detach it there too, or list it in tables.exclude.")
        .table(table.full());
  }
}

void fit(pg::Session& target_session, const SourceTable& table, TablePlan& plan) {
  const std::optional<TargetTable> target = pg::read_target_table(target_session, table.name);
  if (!target) {
    throw missing_table(table.name);
  }
  for (const std::string& column : table.columns) {
    const TargetColumn* found = target->find_column(column);
    if (found == nullptr) {
      throw missing_column(table.name, column);
    }
    require_no_loss(table.name, *found, table.types.at(column));
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

void note_tables(pqxx::transaction_base& transaction, const Shared& shared, const TablePlan& plan,
                 const std::vector<stream::PublishedTable>& published, const std::string& state,
                 bool found_empty) {
  std::vector<std::string> rows;
  for (size_t i = 0; i < plan.targets.size(); ++i) {
    const bool empty = found_empty && plan.filled.count(plan.tables[i].oid) == 0;
    rows.push_back(fmt::format(
        "({}, {}, {}, {}, {}, {}, {}, {}::regclass, nullif({}, '')::jsonb, {})",
        quote_literal(shared.name()), quote_literal(plan.targets[i].schema),
        quote_literal(plan.targets[i].name), quote_literal(state), empty, plan.tables[i].oid,
        entry_of(published, plan.tables[i].oid), quote_literal(quoted(plan.targets[i])),
        quote_literal(supply_text(plan.supplies, plan.tables[i].oid)),
        quote_literal(
            group_of(shared.settings.config, plan.targets[i].schema, plan.targets[i].name))));
  }
  transaction.exec(fmt::format(
      "insert into repld.table_state (link, schema_name, table_name, state, found_empty, "
      "source_oid, publication_entry, target_oid, published, group_name) values {} "
      "on conflict (link, schema_name, table_name) do update set state = excluded.state, "
      "found_empty = excluded.found_empty, source_oid = excluded.source_oid, "
      "publication_entry = excluded.publication_entry, target_oid = excluded.target_oid, "
      "group_name = excluded.group_name, "
      "rows = 0, bytes = 0, copied_at = null",
      fmt::join(rows, ", ")));
}

void take_over(pqxx::transaction_base& transaction, const Shared& shared, TablePlan& plan,
               const std::vector<stream::PublishedTable>& published, const std::string& state,
               const std::string& guard_nonce) {
  const Config& config = shared.settings.config;
  if (plan.targets.empty()) {
    return;
  }
  std::vector<std::string> relations;
  for (const TableName& table : plan.targets) {
    relations.push_back(quoted(table));
  }
  // TRUNCATE would want more, and two who raise their locks wait for each other.
  const bool emptying = config.copy.initial && on_nonempty(config) == OnNonempty::truncate;
  transaction.exec(fmt::format("lock table {} in {} mode", fmt::join(relations, ", "),
                               emptying ? "access exclusive" : "share row exclusive"));
  apply::Surroundings surroundings(shared.name(), guard_nonce, shared.lives_on());
  if (config.link.guard) {
    surroundings.install_guard(transaction, plan.targets);
  }
  for (size_t i = 0; i < plan.targets.size(); ++i) {
    transaction.exec_params(std::string(sql::kFollowRename), shared.name(), plan.targets[i].schema,
                            plan.targets[i].name, plan.tables[i].oid);
  }
  surroundings.set_aside(transaction, plan.targets);
  for (const size_t i : settle_filled(transaction, plan.targets, config, guard_nonce)) {
    plan.filled.insert(plan.tables[i].oid);
  }
  note_tables(transaction, shared, plan, published, state, config.copy.initial);
}

void empty_half_copied(pqxx::transaction_base& transaction, const Shared& shared,
                       const std::string& states, const std::string& guard_nonce) {
  const std::string& link = shared.name();
  const Carriage carriage = hold_carriage(transaction, link, shared.settings.config);
  transaction.exec_params(
      "select from repld.table_state where link = $1 and state = any ($2::text[]) for update", link,
      states);
  std::vector<TableName> tables;
  for (const auto& row : transaction.exec_params(std::string(sql::kHalfCopiedTables), link,
                                                 apply::guard_name(link), states)) {
    if (carriage.carries({row[2].c_str(), row[3].c_str()})) {
      tables.push_back({row[0].c_str(), row[1].c_str()});
    }
  }
  if (!tables.empty()) {
    truncate_as_ours(transaction, tables, link, guard_nonce);
  }
  transaction.exec_params(std::string(sql::kForgetChunks), link, states);
}

void forget_tables(pqxx::transaction_base& transaction, const std::string& link,
                   const std::string& states) {
  transaction.exec_params(std::string(sql::kForgetChunks), link, states);
  transaction.exec_params(std::string(sql::kForgetTables), link, states);
}

void copy_plan(Shared& shared, pg::Session& target, const TablePlan& plan,
               const pg::ExportedSnapshot& snapshot, const apply::ProgressRow& row,
               const std::stop_token& stop) {
  shared.events.record("copying", fmt::format("{} tables", plan.tables.size()));
  CopyRequest request;
  request.snapshot = snapshot;
  request.guard_nonce = row.guard_nonce;
  request.owner = row.owner;
  for (size_t i = 0; i < plan.tables.size(); ++i) {
    if (plan.filled.count(plan.tables[i].oid) > 0) {
      request.filled.push_back(plan.tables[i]);
    } else {
      request.tables.push_back(plan.tables[i]);
      request.targets.push_back(plan.targets[i]);
    }
  }
  request.stop = stop;
  request.progress = [&](const TableName& table, int64_t rows, int64_t bytes) {
    update(shared, table, [&](TableStatus& shown) {
      shown.rows_copied += rows;
      shown.bytes_copied += bytes;
    });
    shared.hooks.bytes_copied(table.full(), bytes);
  };
  request.finished = [&](const TableName& table) {
    update(shared, table, [](TableStatus& shown) {
      shown.state = TableState::copied;
      shown.bytes_total = shown.bytes_copied;
    });
  };
  shared.hooks.copy_tables(request);
  for (const SourceTable& table : plan.tables) {
    TableStatus copied;
    update(shared, table.name, [&](const TableStatus& shown) { copied = shown; });
    target.exec_params(
        "update repld.table_state set rows = $4, bytes = $5 "
        "where link = $1 and schema_name = $2 and table_name = $3",
        shared.name(), table.name.schema, table.name.name, copied.rows_copied, copied.bytes_copied);
  }
  shared.events.record("copied", fmt::format("{} tables", plan.tables.size()));
}

TableStatus shown_as(const SourceTable& table, const Config& config, TableState state) {
  TableStatus shown;
  shown.schema = table.name.schema;
  shown.name = table.name.name;
  shown.group = group_of(config, shown.schema, shown.name);
  shown.state = state;
  shown.source_oid = table.oid;
  for (const SourceLeaf& leaf : table.leaves) {
    shown.bytes_total += leaf.bytes;
  }
  return shown;
}

}  // namespace repld::link
