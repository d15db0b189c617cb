#include "apply/surroundings.h"

#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::apply {

namespace {

std::string quoted(const TableName& table) { return quote_qualified(table.schema, table.name); }

// The ALTER TABLE action that brings a trigger or rule back to pg_trigger.tgenabled.
std::string enable_action(const std::string& enabled) {
  if (enabled == "A") {
    return "enable always";
  }
  return enabled == "R" ? "enable replica" : "enable";
}

std::string restore_statement(const pqxx::row& row) {
  const std::string kind = row[0].c_str();
  const TableName table{row[1].c_str(), row[2].c_str()};
  const std::string name = quote_identifier(row[3].c_str());
  const std::string how = row[4].c_str();
  const std::string definition = row[5].c_str();
  if (kind != "foreign_key") {
    return fmt::format("alter table only {} {} {} {}", quoted(table), enable_action(definition),
                       kind, name);
  }
  if (how == "not_enforced") {
    return fmt::format("alter table {} alter constraint {} enforced", quoted(table), name);
  }
  return fmt::format("alter table {} add constraint {} {}", quoted(table), name, definition);
}

}  // namespace

std::string guard_name(const std::string& link) { return "repld_guard_" + link; }

void Surroundings::journal(pqxx::transaction_base& transaction, const std::string& kind,
                           const TableName& table, const std::string& name, const std::string& how,
                           const std::string& definition) {
  transaction.exec_params(
      "insert into repld.set_aside (link, kind, schema_name, table_name, name, how, definition) "
      "values ($1, $2, $3, $4, $5, $6, $7)",
      link_, kind, table.schema, table.name, name, how, definition);
}

void Surroundings::install_guard(pqxx::transaction_base& transaction, const TableName& table) {
  const std::string name = quote_identifier(guard_name(link_));
  const auto rows = transaction.exec_params(std::string(sql::kUnguardedRelations), table.schema,
                                            table.name, guard_name(link_), guard_nonce_);
  for (const auto& row : rows) {
    const std::string on = quote_qualified(row[0].c_str(), row[1].c_str());
    transaction.exec(fmt::format(
        "create or replace trigger {} before insert or update or delete or truncate on {} "
        "for each statement when (current_setting('repld.apply', true) is distinct from {}) "
        "execute function repld.refuse_write({})",
        name, on, quote_literal(guard_nonce_), quote_literal(link_)));
    transaction.exec(fmt::format("alter table only {} enable always trigger {}", on, name));
  }
}

void Surroundings::set_aside(pqxx::transaction_base& transaction, const TableName& table) {
  for (const pg::ReplicaRelation& relation : pg::replica_relations(transaction, table)) {
    disable_triggers(transaction, relation);
    disable_rules(transaction, relation);
    set_aside_foreign_keys(transaction, relation);
  }
}

void Surroundings::disable_triggers(pqxx::transaction_base& transaction,
                                    const pg::ReplicaRelation& relation) {
  for (const auto& row : transaction.exec_params(std::string(sql::kUserTriggers), relation.oid)) {
    transaction.exec(fmt::format("alter table only {} disable trigger {}", quoted(relation.name),
                                 quote_identifier(row[0].c_str())));
    journal(transaction, "trigger", relation.name, row[0].c_str(), "disabled", row[1].c_str());
  }
}

void Surroundings::disable_rules(pqxx::transaction_base& transaction,
                                 const pg::ReplicaRelation& relation) {
  for (const auto& row : transaction.exec_params(std::string(sql::kUserRules), relation.oid)) {
    transaction.exec(fmt::format("alter table only {} disable rule {}", quoted(relation.name),
                                 quote_identifier(row[0].c_str())));
    journal(transaction, "rule", relation.name, row[0].c_str(), "disabled", row[1].c_str());
  }
}

void Surroundings::set_aside_foreign_keys(pqxx::transaction_base& transaction,
                                          const pg::ReplicaRelation& relation) {
  const bool knows_not_enforced = target_.server_version() >= 180000;
  for (const auto& row : transaction.exec_params(std::string(sql::kForeignKeys), relation.oid)) {
    const TableName table{row[0].c_str(), row[1].c_str()};
    // ENFORCED validates, so a constraint that was NOT VALID can only come back by its definition.
    const bool can_stay = knows_not_enforced && row[4].as<bool>();
    transaction.exec(fmt::format("alter table {} {} constraint {} {}", quoted(table),
                                 can_stay ? "alter" : "drop", quote_identifier(row[2].c_str()),
                                 can_stay ? "not enforced" : ""));
    journal(transaction, "foreign_key", table, row[2].c_str(),
            can_stay ? "not_enforced" : "dropped", row[3].c_str());
  }
}

void Surroundings::restore() {
  target_.transact([&](pqxx::transaction_base& transaction) {
    const std::string guard = guard_name(link_);
    for (const auto& row : transaction.exec_params(std::string(sql::kGuardedTables), guard)) {
      transaction.exec(fmt::format("drop trigger if exists {} on {}", quote_identifier(guard),
                                   quote_qualified(row[0].c_str(), row[1].c_str())));
    }
    // Foreign keys last: a trigger that is back cannot matter to them, but a definition may
    // refer to the unique index of a table that comes later in the list.
    const auto rows = transaction.exec_params(
        "select kind, schema_name, table_name, name, how, definition from repld.set_aside "
        "where link = $1 order by kind = 'foreign_key', schema_name, table_name, name",
        link_);
    for (const auto& row : rows) {
      transaction.exec(restore_statement(row));
    }
    transaction.exec_params("delete from repld.set_aside where link = $1", link_);
  });
}

}  // namespace repld::apply
