#include "doctor/schema_reader.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "embedded_sql.h"
#include "pg/column_types.h"

namespace repld::doctor {

namespace {

using schema::Database;
using schema::Table;

std::string text(const pqxx::field& field) { return field.is_null() ? "" : field.c_str(); }

std::vector<std::string> list(const pqxx::field& field) {
  return field.is_null() ? std::vector<std::string>()
                         : nlohmann::json::parse(field.c_str()).get<std::vector<std::string>>();
}

std::string query(std::string_view sql) { return std::string(sql); }

Table table_of(const pqxx::row& row) {
  Table table;
  table.oid = row[0].as<uint32_t>();
  table.name = {row[1].c_str(), row[2].c_str()};
  table.root = {row[3].c_str(), row[4].c_str()};
  table.unlogged = text(row[6]) == "u";
  table.owner = text(row[7]);
  table.owned = row[8].as<bool>();
  table.partition_key = text(row[9]);
  if (!row[10].is_null()) {
    table.parent = TableName{row[10].c_str(), row[11].c_str()};
  }
  table.bounds = text(row[12]);
  if (!row[13].is_null()) {
    for (const auto& name : nlohmann::json::parse(row[13].c_str())) {
      table.inherits.push_back({name[0], name[1]});
    }
  }
  table.row_security = row[14].as<bool>();
  table.row_security_forced = row[15].as<bool>();
  table.hides_rows = row[16].as<bool>();
  table.identity_index = text(row[17]);
  table.identity_candidate = text(row[18]);
  table.grantees = list(row[19]);
  table.owner_superuser = row[20].as<bool>();
  table.may_join_owner = row[21].as<bool>();
  table.member_of_owner = row[22].as<bool>();
  table.owner_logs_in = row[23].as<bool>();
  return table;
}

class Reader {
 public:
  Reader(pqxx::transaction_base& transaction, Database& database)
      : transaction_(transaction), database_(database) {}

  void read(const std::function<bool(const Table&)>& wanted) {
    for (const auto& row : transaction_.exec(query(sql::kSchemaTables))) {
      Table table = table_of(row);
      if (wanted(table)) {
        oids_ += (oids_.empty() ? "{" : ",") + std::to_string(table.oid);
        by_oid_[table.oid] = database_.tables.size();
        database_.tables.push_back(std::move(table));
      }
    }
    oids_ += oids_.empty() ? "{}" : "}";
    read_columns();
    read_rules();
    read_offers();
    read_set_aside();
  }

 private:
  template <typename Use>
  void for_each(std::string_view sql, Use&& use) {
    for (const auto& row : transaction_.exec_params(query(sql), oids_)) {
      use(database_.tables[by_oid_.at(row[0].as<uint32_t>())], row);
    }
  }

  void read_columns() {
    std::map<uint32_t, std::vector<pg::TypeId>> types;  // by table, parallel to its columns
    std::set<pg::TypeId> wanted;
    for_each(sql::kSchemaColumns, [&](Table& table, const pqxx::row& row) {
      schema::Column column;
      column.name = text(row[1]);
      column.type = text(row[2]);
      column.collation = text(row[3]);
      column.not_null = row[4].as<bool>();
      column.expression = text(row[5]);
      column.identity = text(row[6]);
      column.generated = text(row[7]);
      column.local = row[8].as<bool>();
      column.identity_options = text(row[9]);
      column.variable_length = row[10].as<bool>();
      types[table.oid].emplace_back(row[11].as<uint32_t>(), row[12].as<int32_t>());
      wanted.insert(types[table.oid].back());
      table.columns.push_back(std::move(column));
    });
    std::map<pg::TypeId, TypeShape> known = pg::read_types(transaction_, wanted);
    for (Table& table : database_.tables) {
      for (size_t i = 0; i < table.columns.size(); ++i) {
        table.columns[i].parts = known[types[table.oid][i]].parts;
      }
    }
  }

  void read_rules() {
    for_each(sql::kSchemaConstraints, [](Table& table, const pqxx::row& row) {
      table.constraints.push_back(
          {text(row[1]), row[2].c_str()[0], text(row[3]), {text(row[4]), text(row[5])}});
    });
    for_each(sql::kSchemaIndexes, [](Table& table, const pqxx::row& row) {
      table.indexes.push_back({text(row[1]), text(row[2]), row[3].as<bool>(), row[4].as<bool>(),
                               row[5].as<bool>(), list(row[6])});
    });
    for_each(sql::kSchemaTriggers, [](Table& table, const pqxx::row& row) {
      table.triggers.push_back(
          {text(row[1]), text(row[2]), text(row[3]) != "D", {text(row[4]), text(row[5])}});
    });
    for_each(sql::kSchemaPolicies, [](Table& table, const pqxx::row& row) {
      table.policies.push_back({text(row[1]), list(row[2]), text(row[3])});
    });
  }

  void read_offers() {
    for (const auto& row : transaction_.exec_params(query(sql::kSchemaSequences), oids_)) {
      database_.sequences.push_back({{text(row[0]), text(row[1])},
                                     text(row[2]),
                                     {text(row[3]), text(row[4])},
                                     text(row[5]),
                                     row[6].as<bool>()});
    }
    for (const auto& row : transaction_.exec(query(sql::kSchemaTypes))) {
      database_.types.push_back(
          {{text(row[0]), text(row[1])}, row[2].c_str()[0], text(row[3]), list(row[4])});
    }
    for (const auto& row : transaction_.exec(query(sql::kSchemaFunctions))) {
      database_.functions.push_back(
          {{text(row[0]), text(row[1])}, text(row[2]), text(row[3]), text(row[4])});
    }
    for (const auto& row : transaction_.exec_params(query(sql::kSchemaRequirements), oids_)) {
      using Kind = schema::Requirement::Kind;
      const std::string kind = text(row[0]);
      database_.requirements.push_back({kind == "type"       ? Kind::type
                                        : kind == "function" ? Kind::function
                                                             : Kind::other,
                                        text(row[1]), text(row[2]), text(row[3]), text(row[4])});
    }
    for (const auto& row : transaction_.exec(query(sql::kSchemaExtensions))) {
      database_.extensions.push_back({text(row[0]), text(row[1]), row[2].as<bool>()});
    }
    for (const auto& row : transaction_.exec(query(sql::kSchemaNamespaces))) {
      database_.namespaces.push_back(
          {text(row[0]), text(row[1]), row[2].as<bool>(), row[3].as<bool>()});
    }
  }

  // What a link, running or stopped, has put aside on this side.
  void read_set_aside() {
    if (transaction_.exec("select to_regclass('repld.set_aside')")[0][0].is_null()) {
      return;
    }
    for (const auto& row :
         transaction_.exec("select schema_name, table_name, name from repld.set_aside")) {
      database_.set_aside.push_back({{text(row[0]), text(row[1])}, text(row[2])});
    }
  }

  pqxx::transaction_base& transaction_;
  Database& database_;
  std::string oids_;  // an array, as text
  std::map<uint32_t, size_t> by_oid_;
};

}  // namespace

Database read_schema(pg::Session& session, const std::function<bool(const Table&)>& wanted) {
  return session.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec("set transaction isolation level repeatable read, read only");
    Database database;
    const auto who = transaction.exec(
        "select current_user, pg_get_userbyid(datdba), "
        "(select rolname from pg_roles where rolsuper order by oid limit 1), rolinherit, "
        // Before version 16 a role with REPLICATION is a superuser's to alter.
        "rolsuper or (rolcreaterole and not rolreplication), "
        "current_setting('server_version_num')::int >= 160000 "
        "from pg_database, pg_roles "
        "where datname = current_database() and rolname = current_user");
    database.user = text(who[0][0]);
    database.owner = text(who[0][1]);
    database.superuser = text(who[0][2]);
    database.user_inherits = who[0][3].as<bool>();
    database.may_alter_user = who[0][4].as<bool>();
    database.grants_inherit = who[0][5].as<bool>();
    Reader(transaction, database).read(wanted);
    return database;
  });
}

}  // namespace repld::doctor
