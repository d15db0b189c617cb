#include "doctor/sizes.h"

#include <nlohmann/json.hpp>

#include "embedded_sql.h"

namespace repld::doctor {

TableBytes read_sizes(pg::Session& session, const std::vector<SourceTable>& tables) {
  nlohmann::json names = nlohmann::json::array();
  for (const SourceTable& table : tables) {
    names.push_back({table.name.schema, table.name.name});
  }
  TableBytes bytes;
  for (const auto& row : session.exec_params(std::string(sql::kTableSizes), names.dump())) {
    bytes[{row[0].c_str(), row[1].c_str()}] = row[2].as<int64_t>();
  }
  return bytes;
}

std::vector<TableSize> sizes_of(const TableBytes& source, const TableBytes& target) {
  std::vector<TableSize> sizes;
  for (const auto& [name, bytes] : source) {
    const auto found = target.find(name);
    sizes.push_back({name, bytes, found == target.end() ? 0 : found->second});
  }
  return sizes;
}

int64_t read_database_size(pg::Session& session) {
  return session.exec("select pg_database_size(current_database())")[0][0].as<int64_t>();
}

}  // namespace repld::doctor
