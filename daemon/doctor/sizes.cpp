#include "doctor/sizes.h"

#include <map>
#include <nlohmann/json.hpp>

#include "embedded_sql.h"

namespace repld::doctor {

namespace {

std::map<TableName, int64_t> bytes_of(pg::Session& session, const std::string& names) {
  std::map<TableName, int64_t> bytes;
  for (const auto& row : session.exec_params(std::string(sql::kTableSizes), names)) {
    bytes[{row[0].c_str(), row[1].c_str()}] = row[2].as<int64_t>();
  }
  return bytes;
}

}  // namespace

std::vector<TableSize> read_sizes(pg::Session& source, pg::Session& target,
                                  const std::vector<SourceTable>& tables) {
  nlohmann::json names = nlohmann::json::array();
  for (const SourceTable& table : tables) {
    names.push_back({table.name.schema, table.name.name});
  }
  const std::map<TableName, int64_t> here = bytes_of(source, names.dump());
  const std::map<TableName, int64_t> there = bytes_of(target, names.dump());
  std::vector<TableSize> sizes;
  for (const auto& [name, bytes] : here) {
    const auto found = there.find(name);
    sizes.push_back({name, bytes, found == there.end() ? 0 : found->second});
  }
  return sizes;
}

int64_t read_database_size(pg::Session& session) {
  return session.exec("select pg_database_size(current_database())")[0][0].as<int64_t>();
}

}  // namespace repld::doctor
