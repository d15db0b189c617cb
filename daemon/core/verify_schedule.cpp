#include "core/verify_schedule.h"

#include <algorithm>

namespace repld {

namespace {

// Of its time: from then on a table goes along with another that is due.
constexpr double kAlong = 0.9;

std::string name_of(const TableStatus& table) { return table.schema + "." + table.name; }

}  // namespace

int64_t verify_every_ms(const VerifyConfig& config, const std::string& table) {
  for (const VerifyScheduleConfig& schedule : config.schedule) {
    if (matches_any_pattern(schedule.tables, table)) {
      return schedule.every_ms;
    }
  }
  return config.every_ms;
}

// What lies in the future was dated by a clock that was ahead, and says nothing.
std::optional<double> VerifySchedule::last_look(const TableStatus& table, const std::string& name,
                                                double now) const {
  const auto found = looked_at_.find(name);
  if (found != looked_at_.end() && found->second <= now && found->second >= table.copied_at) {
    return found->second;
  }
  return table.proof && table.proof->at <= now ? std::optional(table.proof->at) : std::nullopt;
}

VerifySchedule::Due VerifySchedule::due(const std::vector<TableStatus>& tables, double now) const {
  Due due;
  for (const TableStatus& table : tables) {
    const std::string name = name_of(table);
    const double every = static_cast<double>(verify_every_ms(config_, name)) / 1000;
    if (table.state != TableState::copied || every == 0) {
      continue;
    }
    const double last = last_look(table, name, now).value_or(now - every);
    due.next = std::min(due.next, last + every);
    if (now >= last + kAlong * every) {
      due.tables.push_back(name);
    }
  }
  if (now < due.next) {
    due.tables.clear();
  }
  return due;
}

std::vector<std::string> VerifySchedule::overtaken(const std::vector<TableStatus>& tables) const {
  std::vector<std::string> names;
  for (const TableStatus& table : tables) {
    if (table.proof && !table.proof->suspicion.empty() &&
        verify_every_ms(config_, name_of(table)) != 0) {
      names.push_back(name_of(table));
    }
  }
  return names;
}

}  // namespace repld
