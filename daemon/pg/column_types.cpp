#include "pg/column_types.h"

#include "core/array_text.h"
#include "embedded_sql.h"

namespace repld::pg {

namespace {

template <typename Connection>
std::map<TypeId, TypeShape> read(Connection& connection, const std::set<TypeId>& types) {
  std::vector<std::string> oids;
  std::vector<std::string> modifiers;
  for (const auto& [oid, modifier] : types) {
    oids.push_back(std::to_string(oid));
    modifiers.push_back(std::to_string(modifier));
  }
  std::map<TypeId, TypeShape> found;
  const pqxx::result rows =
      connection.exec_params(std::string(sql::kTypeParts), array_text(oids), array_text(modifiers));
  for (const auto& row : rows) {
    TypeShape& type = found[{row[0].as<uint32_t>(), row[1].as<int32_t>()}];
    type.name = row[2].c_str();
    type.parts.push_back({row[3].c_str(), row[4].c_str()});
  }
  return found;
}

}  // namespace

std::map<TypeId, TypeShape> read_types(Session& session, const std::set<TypeId>& types) {
  return read(session, types);
}

std::map<TypeId, TypeShape> read_types(pqxx::transaction_base& transaction,
                                       const std::set<TypeId>& types) {
  return read(transaction, types);
}

}  // namespace repld::pg
