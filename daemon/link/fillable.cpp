#include "link/fillable.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "apply/surroundings.h"
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
// Of a question about the newest row, which may have to read the whole table.
constexpr const char* kBounds = "set local statement_timeout = '5s'; set local lock_timeout = '1s'";

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

std::string listed(const std::vector<TableName>& tables) {
  std::string list;
  for (const TableName& table : tables) {
    list += (list.empty() ? "" : ", ") + table.full();
  }
  return list;
}

template <typename Item>
std::vector<Item> at_places(const std::vector<Item>& items, const std::vector<size_t>& places) {
  std::vector<Item> chosen;
  for (const size_t i : places) {
    chosen.push_back(items[i]);
  }
  return chosen;
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

// Their indexes.
std::vector<size_t> written_tables(pg::Session& target, const std::vector<TableName>& tables,
                                   const std::stop_token& stop) {
  const RowChanges before = row_changes(target, tables);
  pause(kWatched, stop);
  const RowChanges after = row_changes(target, tables);
  std::vector<size_t> written;
  for (size_t i = 0; i < tables.size(); ++i) {
    const auto old = before.find(tables[i]);
    const auto now = after.find(tables[i]);
    if (old == before.end() || now == after.end() || old->second != now->second) {
      written.push_back(i);
    }
  }
  return written;
}

struct ClockColumn {
  std::string name;
  std::string type;
};

std::map<size_t, std::vector<ClockColumn>> clock_columns(pg::Session& target,
                                                         const std::vector<TableName>& tables,
                                                         const std::string& link) {
  std::map<size_t, std::vector<ClockColumn>> columns;
  for (const auto& row : target.exec_params(std::string(sql::kClockColumns),
                                            array_text(quoted(tables)), apply::guard_name(link))) {
    columns[row[0].as<size_t>() - 1].push_back({row[1].c_str(), row[2].c_str()});
  }
  return columns;
}

// Empty: it has no rows.
std::vector<std::string> newest_times(pg::Session& session, const TableName& table,
                                      const std::vector<ClockColumn>& columns) {
  std::vector<std::string> times;
  for (const ClockColumn& column : columns) {
    times.push_back(fmt::format("coalesce(max({})::text, '')", quote_identifier(column.name)));
  }
  return session.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kBounds);
    const auto row = transaction.exec(fmt::format("select {} from {}", fmt::join(times, ", "),
                                                  quote_qualified(table.schema, table.name)))[0];
    std::vector<std::string> newest;
    for (const auto& field : row) {
      newest.emplace_back(field.c_str());
    }
    return newest;
  });
}

// Whether the time of its newest row is later than that of the source's, in a column that both have
// (a source without rows has none). Whoever deleted the newest rows of the source since the target
// was filled sees this too, and knows better; we do not. What takes long to ask is not asked.
bool has_newer_rows(pg::Session& source, pg::Session& target, const SourceTable& source_table,
                    const TableName& target_table, std::vector<ClockColumn> columns) {
  const std::vector<std::string>& known = source_table.columns;
  columns.erase(std::remove_if(columns.begin(), columns.end(),
                               [&](const ClockColumn& column) {
                                 return std::find(known.begin(), known.end(), column.name) ==
                                        known.end();
                               }),
                columns.end());
  if (columns.empty()) {
    return false;
  }
  try {
    const auto there = newest_times(target, target_table, columns);
    const auto here = newest_times(source, source_table.name, columns);
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool newer =
          !there[i].empty() &&
          (here[i].empty() ||
           target
               .exec(fmt::format("select {0}::{2} > {1}::{2}", quote_literal(there[i]),
                                 quote_literal(here[i]), columns[i].type))[0][0]
               .as<bool>());
      if (newer) {
        return true;
      }
    }
  } catch (const Error& error) {
    if (error.sqlstate().empty()) {
      throw;
    }
    // Without the server's words, which may repeat a value.
    spdlog::debug("{}: how new its rows are is not known: {}", target_table.full(),
                  error.sqlstate());
  }
  return false;
}

}  // namespace

std::map<size_t, Unfillable> unfillable_tables(pg::Session& source, pg::Session& target,
                                               const std::vector<SourceTable>& sources,
                                               const std::vector<TableName>& targets,
                                               const Config& config, const char* lock_timeout,
                                               const std::stop_token& stop) {
  std::map<size_t, Unfillable> unfillable;
  if (!config.copy.initial) {
    return unfillable;
  }
  const std::vector<size_t> filled = target.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(lock_timeout);
    return filled_tables(transaction, targets);
  });
  if (filled.empty() || on_nonempty(config) == OnNonempty::refuse) {
    for (const size_t place : filled) {
      unfillable[place] = Unfillable::not_empty;
    }
    return unfillable;
  }
  const std::vector<TableName> names = at_places(targets, filled);
  for (const size_t i : written_tables(target, names, stop)) {
    unfillable[filled[i]] = Unfillable::written;
  }
  for (const auto& [i, columns] : clock_columns(target, names, config.link.name)) {
    if (unfillable.count(filled[i]) == 0 && !stop.stop_requested() &&
        has_newer_rows(source, target, sources[filled[i]], names[i], columns)) {
      unfillable[filled[i]] = Unfillable::newer;
    }
  }
  return unfillable;
}

Error refusal(Unfillable reason, const std::vector<TableName>& tables) {
  const auto told = [&](const char* message, const char* hint) {
    return Error(ErrorKind::refused, message)
        .detail("{}", listed(tables))
        .hint("Nothing was changed. {}; repld looks again by itself.", hint)
        .lasting(reason == Unfillable::newer)
        .table(tables.front().full());
  };
  switch (reason) {
    case Unfillable::not_empty:
      return told(
          "tables of the target are not empty",
          "Empty them (after replctl finalize, where the guard of an interrupted set-up "
          "stands), or list them in tables.exclude, or say with copy.on_nonempty what is to "
          "become of their rows");
    case Unfillable::written:
      return told("tables of the target have rows, and others write to them",
                  "Tables that live on the target already belong into a group with primary = "
                  "\"target\", or into tables.exclude");
    case Unfillable::newer: break;
  }
  return told(
      "tables of the target have newer rows than the source",
      "Their columns that take the time of a new row say so. Tables that live on the target "
      "already belong into a group with primary = \"target\", or into tables.exclude; rows "
      "that the source has lost since are to be deleted there by hand");
}

void require_fillable(const std::map<size_t, Unfillable>& unfillable,
                      const std::vector<TableName>& targets) {
  if (unfillable.empty()) {
    return;
  }
  const Unfillable reason = unfillable.begin()->second;
  std::vector<TableName> tables;
  for (const auto& [place, other] : unfillable) {
    if (other == reason) {
      tables.push_back(targets[place]);
    }
  }
  throw refusal(reason, tables);
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
    throw refusal(Unfillable::not_empty, at_places(tables, filled));
  }
  truncate_as_ours(transaction, at_places(tables, filled), config.link.name, guard_nonce);
  return {};
}

void truncate_as_ours(pqxx::transaction_base& transaction, const std::vector<TableName>& tables,
                      const std::string& link, const std::string& guard_nonce) {
  transaction.exec_params("select set_config('repld.apply', $1, true)", guard_nonce);
  transaction.exec_params("select pg_logical_emit_message(true, 'repld', $1)", link);
  transaction.exec(fmt::format("truncate {}", fmt::join(quoted(tables), ", ")));
}

}  // namespace repld::link
