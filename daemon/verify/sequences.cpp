#include "verify/sequences.h"

#include <cmath>
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

// How many values it takes to get there; one for part of a step.
int64_t values_between(int64_t from, const Reached& to) {
  const double distance = static_cast<double>(*to.value) - static_cast<double>(from);
  const bool exact = std::abs(distance) < 9e15;
  const auto steps = exact ? (*to.value - from) / to.increment
                           : static_cast<int64_t>(distance / static_cast<double>(to.increment));
  const bool behind = (distance > 0) == (to.increment > 0);
  return steps != 0 ? steps : (behind ? 1 : -1);
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
      gaps.push_back({name, values_between(*found->second.value, reached)});
    }
  }
  return gaps;
}

}  // namespace repld::verify
