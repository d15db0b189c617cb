#include "verify/sequences.h"

#include <map>

#include "core/array_text.h"
#include "core/sql_text.h"
#include "embedded_sql.h"

namespace repld::verify {

namespace {

struct Reached {
  int64_t increment = 1;
  std::optional<int64_t> value;
};

std::map<TableName, Reached> values_of(pg::Session& session, const std::string& tables) {
  std::map<TableName, Reached> values;
  for (const auto& row : session.exec_params(std::string(sql::kSequenceValues), tables)) {
    Reached& reached = values[{row[0].c_str(), row[1].c_str()}];
    reached.increment = row[2].as<int64_t>();
    if (!row[3].is_null()) {
      reached.value = row[3].as<int64_t>();
    }
  }
  return values;
}

}  // namespace

std::vector<SequenceGap> sequence_gaps(pg::Session& source, pg::Session& target,
                                       const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  for (const TableName& table : tables) {
    names.push_back(quote_qualified(table.schema, table.name));
  }
  const std::string list = array_text(names);
  const auto on_source = values_of(source, list);
  const auto on_target = values_of(target, list);
  std::vector<SequenceGap> gaps;
  for (const auto& [name, reached] : on_source) {
    const auto found = on_target.find(name);
    const bool known = found != on_target.end() && reached.value && found->second.value;
    if (!known) {
      gaps.push_back({name, std::nullopt});
    } else if (*reached.value != *found->second.value) {
      gaps.push_back({name, (*reached.value - *found->second.value) / reached.increment});
    }
  }
  return gaps;
}

}  // namespace repld::verify
