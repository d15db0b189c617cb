#include "link/fillable.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "base/pause.h"
#include "core/array_text.h"
#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::link {

namespace {

// Tables of one query: its parts nest, and the server's stack has a limit.
constexpr size_t kLooksMax = 500;
// How long tables that have rows are watched. A server counts what a session wrote within a second.
constexpr std::chrono::seconds kWatched{5};

std::vector<std::string> quoted(const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  for (const TableName& table : tables) {
    names.push_back(quote_qualified(table.schema, table.name));
  }
  return names;
}

// The places of those that have rows.
std::vector<size_t> filled_tables(pqxx::transaction_base& transaction,
                                  const std::vector<TableName>& tables) {
  const std::vector<std::string> names = quoted(tables);
  std::vector<size_t> filled;
  for (size_t first = 0; first < tables.size(); first += kLooksMax) {
    std::string query;
    for (size_t i = first; i < std::min(tables.size(), first + kLooksMax); ++i) {
      query += fmt::format("{}select {} where exists (select from {})",
                           query.empty() ? "" : " union all ", i, names[i]);
    }
    for (const auto& row : transaction.exec(query)) {
      filled.push_back(row[0].as<size_t>());
    }
  }
  return filled;
}

std::vector<TableName> names_of(const std::vector<size_t>& places,
                                const std::vector<TableName>& tables) {
  std::vector<TableName> names;
  for (const size_t i : places) {
    names.push_back(tables[i]);
  }
  return names;
}

std::string listed(const std::vector<TableName>& tables) {
  std::string list;
  for (const TableName& table : tables) {
    list += (list.empty() ? "" : ", ") + table.full();
  }
  return list;
}

Error not_empty(const std::vector<TableName>& filled) {
  Error error(ErrorKind::refused, "tables of the target are not empty");
  error.detail("{}", listed(filled));
  error.hint(
      "Nothing was changed. Empty them (after replctl finalize, where the guard of an interrupted "
      "set-up stands), or list them in tables.exclude, or say with copy.on_nonempty what is to "
      "become of their rows; repld looks again every few seconds.");
  return error.table(filled.front().full());
}

using RowChanges = std::map<TableName, int64_t>;

RowChanges row_changes(pg::Session& target, const std::vector<TableName>& tables) {
  RowChanges changes;
  for (const auto& row :
       target.exec_params(std::string(sql::kRowChanges), array_text(quoted(tables)))) {
    changes[{row[0].c_str(), row[1].c_str()}] = row[2].as<int64_t>();
  }
  return changes;
}

void require_unwritten(pg::Session& target, const std::vector<TableName>& tables,
                       const std::stop_token& stop) {
  const RowChanges before = row_changes(target, tables);
  pause(kWatched, stop);
  std::vector<TableName> written;
  for (const auto& [table, changes] : row_changes(target, tables)) {
    const auto found = before.find(table);
    if (found == before.end() || found->second != changes) {
      written.push_back(table);
    }
  }
  if (!written.empty()) {
    throw Error(ErrorKind::refused, "tables of the target have rows, and others write to them")
        .detail("{}", listed(written))
        .hint(
            "Nothing was changed. Tables that live on the target already belong into a group with "
            "primary = \"target\", or into tables.exclude; repld looks again every few seconds.")
        .table(written.front().full());
  }
}

}  // namespace

void require_fillable(pg::Session& target, const std::vector<TableName>& tables,
                      const Config& config, const char* lock_timeout, const std::stop_token& stop) {
  if (!config.copy.initial) {
    return;
  }
  const auto filled = target.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(lock_timeout);
    return names_of(filled_tables(transaction, tables), tables);
  });
  if (filled.empty()) {
    return;
  }
  if (on_nonempty(config) == OnNonempty::refuse) {
    throw not_empty(filled);
  }
  require_unwritten(target, filled, stop);
}

std::vector<size_t> settle_filled(pqxx::transaction_base& transaction,
                                  const std::vector<TableName>& tables, const Config& config,
                                  const std::string& guard_nonce) {
  const std::vector<size_t> filled =
      config.copy.initial ? filled_tables(transaction, tables) : std::vector<size_t>();
  if (filled.empty() || on_nonempty(config) == OnNonempty::repair) {
    return filled;
  }
  if (on_nonempty(config) == OnNonempty::refuse) {
    throw not_empty(names_of(filled, tables));
  }
  transaction.exec_params("select set_config('repld.apply', $1, true)", guard_nonce);
  transaction.exec(fmt::format("truncate {}", fmt::join(quoted(names_of(filled, tables)), ", ")));
  return {};
}

}  // namespace repld::link
