#include "apply/surroundings.h"

#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::apply {

namespace {

std::string quoted(const TableName& table) { return quote_qualified(table.schema, table.name); }

}  // namespace

std::string guard_name(const std::string& link) { return "repld_guard_" + link; }

// What is enabled again by hand, or made again under the name of what is gone, is as it should be
// restored. A trigger that stood disabled by itself ('D') never replaces an entry.
void Surroundings::journal(pqxx::transaction_base& transaction, const std::string& kind,
                           const TableName& table, const std::string& name, const std::string& how,
                           const std::string& definition) {
  transaction.exec_params(
      "insert into repld.set_aside (link, kind, schema_name, table_name, name, how, definition) "
      "values ($1, $2, $3, $4, $5, $6, $7) "
      "on conflict (link, kind, schema_name, table_name, name) do update "
      "set how = excluded.how, definition = excluded.definition "
      "where excluded.definition <> 'D'",
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
  for (const auto& row :
       transaction.exec_params(std::string(sql::kUserTriggers), relation.oid, link_)) {
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

// Dropped, not NOT ENFORCED as PostgreSQL 18 would allow: that still forbids TRUNCATE of the
// referenced table alone, which the source may do where it has no such foreign key.
void Surroundings::set_aside_foreign_keys(pqxx::transaction_base& transaction,
                                          const pg::ReplicaRelation& relation) {
  for (const auto& row :
       transaction.exec_params(std::string(sql::kForeignKeys), relation.oid, link_)) {
    const TableName table{row[0].c_str(), row[1].c_str()};
    transaction.exec(fmt::format("alter table {} drop constraint {}", quoted(table),
                                 quote_identifier(row[2].c_str())));
    journal(transaction, "foreign_key", table, row[2].c_str(), "dropped", row[3].c_str());
  }
}

}  // namespace repld::apply
