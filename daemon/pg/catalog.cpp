#include "pg/catalog.h"

#include <nlohmann/json.hpp>

#include "embedded_sql.h"
#include "pg/column_types.h"

namespace repld::pg {

namespace {

std::vector<std::string> names_of_json(const pqxx::field& field) {
  if (field.is_null()) {
    return {};
  }
  return nlohmann::json::parse(field.c_str()).get<std::vector<std::string>>();
}

using TypeIds = std::map<std::string, TypeId>;  // by column

TypeIds types_of_json(const pqxx::field& field) {
  TypeIds types;
  if (!field.is_null()) {
    const auto columns = nlohmann::json::parse(field.c_str());
    for (const auto& column : columns) {
      types[column[0]] = {column[1].get<uint32_t>(), column[2].get<int32_t>()};
    }
  }
  return types;
}

// `types`: parallel to the tables.
void set_types(pqxx::transaction_base& transaction, std::vector<SourceTable>& tables,
               const std::vector<TypeIds>& types) {
  std::set<TypeId> wanted;
  for (const TypeIds& of_table : types) {
    for (const auto& [column, type] : of_table) {
      wanted.insert(type);
    }
  }
  std::map<TypeId, TypeShape> known = read_types(transaction, wanted);
  for (size_t i = 0; i < tables.size(); ++i) {
    for (const auto& [column, type] : types[i]) {
      tables[i].types[column] = known[type];
    }
  }
}

std::vector<TargetColumn> target_columns(Session& session, uint32_t table) {
  std::vector<TargetColumn> columns;
  std::vector<TypeId> types;
  for (const auto& row : session.exec_params(std::string(sql::kTargetColumns), table)) {
    TargetColumn column;
    column.name = row[0].c_str();
    column.type = row[1].c_str();
    column.equality = row[2].is_null() ? "" : row[2].c_str();
    column.generated = row[3].as<bool>();
    column.identity_always = row[4].as<bool>();
    column.array = row[5].is_null() ? "" : row[5].c_str();
    column.collation = row[6].is_null() ? "" : row[6].c_str();
    types.emplace_back(row[7].as<uint32_t>(), row[8].as<int32_t>());
    columns.push_back(std::move(column));
  }
  std::map<TypeId, TypeShape> known = read_types(session, {types.begin(), types.end()});
  for (size_t i = 0; i < columns.size(); ++i) {
    columns[i].full_type = known[types[i]];
  }
  return columns;
}

}  // namespace

std::vector<SourceTable> read_source_tables(pqxx::transaction_base& transaction, Sizes sizes) {
  std::vector<SourceTable> tables;
  std::vector<TypeIds> types;
  for (const auto& row :
       transaction.exec_params(std::string(sql::kSourceTables), sizes == Sizes::measured)) {
    const auto root_oid = row[0].as<uint32_t>();
    if (tables.empty() || tables.back().oid != root_oid) {
      SourceTable table;
      table.oid = root_oid;
      table.name = {row[1].c_str(), row[2].c_str()};
      table.partitioned = row[3].as<bool>();
      table.owned = row[4].as<bool>();
      table.columns = names_of_json(row[5]);
      table.primary_key = row[12].as<bool>();
      table.generated = names_of_json(row[13]);
      tables.push_back(std::move(table));
      types.push_back(types_of_json(row[17]));
    }
    const auto leaf_oid = row[6].as<uint32_t>();
    if (leaf_oid != root_oid || !tables.back().partitioned) {
      SourceLeaf leaf;
      leaf.oid = leaf_oid;
      leaf.name = {row[7].c_str(), row[8].c_str()};
      leaf.pages = row[9].as<int64_t>();
      leaf.bytes = row[10].as<int64_t>();
      leaf.identity_usable = row[11].as<bool>();
      leaf.streams = row[14].as<bool>();
      leaf.full_usable = row[15].as<bool>();
      leaf.readable = row[16].as<bool>();
      leaf.columns = tables.back().columns;
      tables.back().leaves.push_back(std::move(leaf));
    }
  }
  set_types(transaction, tables, types);
  return tables;
}

bool may_read(Session& session, const TableName& table) {
  return !session
              .exec_params(
                  "select from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                  "where n.nspname = $1 and c.relname = $2 and has_schema_privilege(n.oid, "
                  "'usage') "
                  "and has_table_privilege(c.oid, 'select')",
                  table.schema, table.name)
              .empty();
}

std::optional<RelationFacts> relation_facts(Session& session, uint32_t oid) {
  const auto rows = session.exec_params(std::string(sql::kRelationFacts), oid);
  if (rows.empty()) {
    return std::nullopt;
  }
  RelationFacts facts;
  facts.root = {rows[0][0].c_str(), rows[0][1].c_str()};
  facts.bound = rows[0][2].c_str();
  facts.constraint = rows[0][3].c_str();
  if (!rows[0][4].is_null()) {
    facts.keys =
        nlohmann::json::parse(rows[0][4].c_str()).get<std::vector<std::vector<std::string>>>();
  }
  facts.root_oid = rows[0][5].as<uint32_t>();
  return facts;
}

std::optional<RelationFacts> relation_facts(Session& session, const TableName& name) {
  const auto found = session.exec_params(std::string(sql::kTargetTable), name.schema, name.name);
  if (found.empty()) {
    return std::nullopt;
  }
  return relation_facts(session, found[0][0].as<uint32_t>());
}

std::optional<TargetTable> read_target_table(Session& session, const TableName& name) {
  const auto found = session.exec_params(std::string(sql::kTargetTable), name.schema, name.name);
  if (found.empty()) {
    return std::nullopt;
  }
  const std::string kind = found[0][1].c_str();
  const TableName root{found[0][2].c_str(), found[0][3].c_str()};
  if (root != name) {
    return read_target_table(session, root);
  }
  if (kind != "r" && kind != "p") {
    throw Error(ErrorKind::schema, fmt::format("\"{}\" is not a table on the target", name.full()))
        .table(name.full());
  }
  TargetTable table;
  table.oid = found[0][0].as<uint32_t>();
  table.name = name;
  table.partitioned = kind == "p";
  table.owned = found[0][4].as<bool>();
  table.columns = target_columns(session, table.oid);
  for (const auto& row : session.exec_params(std::string(sql::kTargetKeys), table.oid)) {
    table.keys.push_back({row[0].as<bool>(), names_of_json(row[1])});
  }
  for (const auto& row : session.exec_params(std::string(sql::kTargetDeferrable), table.oid)) {
    table.deferrable.emplace_back(row[0].c_str());
  }
  return table;
}

bool is_partitioned(Session& session, const TableName& name) {
  const auto found = session.exec_params(std::string(sql::kTargetTable), name.schema, name.name);
  return !found.empty() && std::string(found[0][1].c_str()) == "p";
}

}  // namespace repld::pg
