#include "link/new_columns.h"

#include "core/error.h"
#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::link {

namespace {

// Readers of the target queue behind our wait for a lock, so it is short; the link tries again.
constexpr const char* kLockTimeout = "set local lock_timeout = '2s'";

Error unknown_before(const TableName& table, const std::string& column) {
  Error error(ErrorKind::schema, fmt::format("column \"{}\" of \"{}\" is missing on the target",
                                             column, table.full()));
  error.detail(
      "it cannot be added by itself: what the rows before it have on the source was computed row "
      "by row, or the table has been rewritten since");
  error.hint(
      "Add the column to the target with the values of those rows, then run replctl resume.");
  return error.table(table.full());
}

}  // namespace

void NewColumns::add(const Relation& relation, const TableName& table,
                     const std::vector<std::string>& columns,
                     const std::function<void()>& before_ddl) {
  std::vector<std::string> clauses;
  std::vector<std::string> without_default;
  std::vector<std::string> added;
  for (const std::string& column : columns) {
    const auto found = source_.exec_params(std::string(sql::kNewColumn), relation.oid, column);
    if (found.empty()) {
      continue;
    }
    if (!found[0][3].as<bool>()) {
      throw unknown_before(table, column);
    }
    clauses.push_back(fmt::format(
        "add column {} {}{}{}", quote_identifier(column), found[0][0].c_str(),
        found[0][1].is_null() ? "" : fmt::format(" collate {}", found[0][1].c_str()),
        found[0][2].is_null() ? ""
                              : fmt::format(" default {}", quote_literal(found[0][2].c_str()))));
    if (!found[0][2].is_null() && !found[0][4].as<bool>()) {
      without_default.push_back(
          fmt::format("alter column {} drop default", quote_identifier(column)));
    }
    added.push_back(column);
  }
  if (clauses.empty()) {
    return;
  }
  const std::string alter =
      fmt::format("alter table {} ", quote_qualified(table.schema, table.name));
  before_ddl();
  target_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    transaction.exec(alter + fmt::format("{}", fmt::join(clauses, ", ")));
    if (!without_default.empty()) {
      transaction.exec(alter + fmt::format("{}", fmt::join(without_default, ", ")));
    }
  });
  tell_(fmt::format("{}: {} added, as on the source; constraints and indexes are not", table.full(),
                    fmt::join(added, ", ")));
}

}  // namespace repld::link
