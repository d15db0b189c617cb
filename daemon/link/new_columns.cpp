#include "link/new_columns.h"

#include <algorithm>

#include "core/array_text.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "link/table_plan.h"

namespace repld::link {

namespace {

// A column of the target that the relation lacks may be the very one, under the name it had.
bool may_be_renamed(const Relation& relation, const TargetTable& table) {
  return std::any_of(table.columns.begin(), table.columns.end(), [&](const TargetColumn& column) {
    return !column.generated &&
           std::none_of(relation.columns.begin(), relation.columns.end(),
                        [&](const RelationColumn& had) { return had.name == column.name; });
  });
}

}  // namespace

bool NewColumns::add(const Relation& relation, const TargetTable& table,
                     const std::function<void()>& before_ddl) {
  if (config_.apply.on_new_column == OnNewColumn::pause || may_be_renamed(relation, table)) {
    return false;
  }
  std::vector<std::string> known;
  std::vector<RelationColumn> missing;
  for (const RelationColumn& column : relation.columns) {
    if (table.find_column(column.name) == nullptr) {
      missing.push_back(column);
    } else {
      known.push_back(column.name);
    }
  }
  bool added = false;
  for (const RelationColumn& column : missing) {
    const auto found = source_.exec_params(std::string(sql::kNewColumn), relation.oid, column.name,
                                           column.type_oid, array_text(known));
    if (!found.empty()) {
      add(column.name, found[0], table.name, before_ddl);
      added = true;
    }
  }
  return added;
}

void NewColumns::add(const std::string& column, const pqxx::row& how, const TableName& table,
                     const std::function<void()>& before_ddl) {
  std::string sql =
      fmt::format("alter table {} add column {} {}{}", quote_qualified(table.schema, table.name),
                  quote_identifier(column), how[0].c_str(), how[1].c_str());
  if (!how[2].is_null()) {
    sql += fmt::format(" default {}::{}", quote_literal(how[2].c_str()), how[0].c_str());
  }
  before_ddl();
  try {
    target_.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec(kDdlLockTimeout);
      transaction.exec(sql);
    });
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::connect) {
      throw;
    }
    // Without the server's words: a default that does not fit is a value of rows.
    Error told(error.kind(), fmt::format("column \"{}\" cannot be added to \"{}\" on the target",
                                         column, table.full()));
    told.hint("Add it there by hand, then replctl resume.");
    throw told.sqlstate(error.sqlstate()).lasting(error.lasting()).table(table.full());
  }
  events_.record("column added",
                 fmt::format("\"{}\" to \"{}\" on the target", column, table.full()));
}

}  // namespace repld::link
