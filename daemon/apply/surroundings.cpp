#include "apply/surroundings.h"

#include "apply/row_guard.h"
#include "apply/table_arrays.h"
#include "core/direction.h"
#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::apply {

namespace {

std::string quoted(const TableName& table) { return quote_qualified(table.schema, table.name); }

TableName table_of(const pqxx::row& row) { return {row[0].c_str(), row[1].c_str()}; }

// Several statements at once.
void run(pqxx::transaction_base& transaction, const std::string& script) {
  if (!script.empty()) {
    transaction.exec(script);
  }
}

}  // namespace

std::string guard_name(const std::string& link) { return "repld_guard_" + link; }

void Surroundings::install_guard(pqxx::transaction_base& transaction,
                                 const std::vector<TableName>& tables) {
  run(transaction, guard_script(transaction, tables));
}

std::string Surroundings::guard_script(pqxx::transaction_base& transaction,
                                       const std::vector<TableName>& tables) const {
  const std::string arguments =
      lives_on_.empty() ? quote_literal(link_)
                        : fmt::format("{}, {}", quote_literal(link_), quote_literal(lives_on_));
  const std::string name = quote_identifier(guard_name(link_));
  const TableArrays arrays(tables);
  std::string script;
  for (const auto& row :
       transaction.exec_params(std::string(sql::kUnguardedRelations), arrays.schemas, arrays.names,
                               guard_name(link_), guard_nonce_)) {
    const std::string on = quoted(table_of(row));
    script += fmt::format(
        "create or replace trigger {} before insert or update or delete or truncate on {} "
        "for each statement when (current_setting('repld.apply', true) is distinct from {}) "
        "execute function repld.refuse_write({}); "
        "alter table only {} enable always trigger {};\n",
        name, on, quote_literal(guard_nonce_), arguments, on, name);
  }
  if (is_reverse(link_)) {
    script += row_guard_script(transaction, tables, link_, guard_nonce_, arguments);
  }
  return script;
}

void Surroundings::set_aside(pqxx::transaction_base& transaction,
                             const std::vector<TableName>& tables) {
  const TableArrays arrays(tables);
  const auto found =
      transaction.exec_params(std::string(sql::kReplicaRelations), arrays.schemas, arrays.names);
  const std::string oids = found[0][0].is_null() ? "{}" : found[0][0].c_str();
  std::string script;
  for (const auto& row : transaction.exec_params(std::string(sql::kUserTriggers), oids, link_)) {
    script += fmt::format("alter table only {} disable trigger {};\n", quoted(table_of(row)),
                          quote_identifier(row[2].c_str()));
    script += journaled("trigger", table_of(row), row[2].c_str(), "disabled", row[3].c_str());
  }
  for (const auto& row : transaction.exec_params(std::string(sql::kUserRules), oids)) {
    script += fmt::format("alter table only {} disable rule {};\n", quoted(table_of(row)),
                          quote_identifier(row[2].c_str()));
    script += journaled("rule", table_of(row), row[2].c_str(), "disabled", row[3].c_str());
  }
  // Dropped, not NOT ENFORCED as PostgreSQL 18 would allow: that still forbids TRUNCATE of the
  // referenced table alone, which the source may do where it has no such foreign key.
  for (const auto& row : transaction.exec_params(std::string(sql::kForeignKeys), oids, link_)) {
    script += fmt::format("alter table {} drop constraint {};\n", quoted(table_of(row)),
                          quote_identifier(row[2].c_str()));
    script += journaled("foreign_key", table_of(row), row[2].c_str(), "dropped", row[3].c_str());
  }
  run(transaction, script);
}

// What is enabled again by hand, or made again under the name of what is gone, is as it should be
// restored. A trigger that stood disabled by itself ('D') never replaces an entry.
std::string Surroundings::journaled(const std::string& kind, const TableName& table,
                                    const std::string& name, const std::string& how,
                                    const std::string& definition) const {
  return fmt::format(
      "insert into repld.set_aside (link, kind, schema_name, table_name, name, how, definition) "
      "values ({}, {}, {}, {}, {}, {}, {}) "
      "on conflict (link, kind, schema_name, table_name, name) do update "
      "set how = excluded.how, definition = excluded.definition "
      "where excluded.definition <> 'D';\n",
      quote_literal(link_), quote_literal(kind), quote_literal(table.schema),
      quote_literal(table.name), quote_literal(name), quote_literal(how),
      quote_literal(definition));
}

}  // namespace repld::apply
