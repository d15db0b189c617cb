#include "cutover/blockers.h"

#include <nlohmann/json.hpp>

#include "core/array_text.h"
#include "embedded_sql.h"

namespace repld::cutover {

namespace {

// Source: PostgreSQL, "Explicit Locking", table of conflicting lock modes.
std::vector<std::string> conflicting(Lock lock) {
  std::vector<std::string> modes = {"ShareUpdateExclusiveLock", "ShareLock",
                                    "ShareRowExclusiveLock", "ExclusiveLock",
                                    "AccessExclusiveLock"};
  if (lock == Lock::freeze) {
    modes.insert(modes.end(), {"RowShareLock", "RowExclusiveLock"});
  }
  return modes;
}

}  // namespace

std::string Blocker::text() const {
  const std::string who = pid == 0 ? fmt::format("prepared transaction \"{}\"", gid)
                          : kind == "autovacuum worker"
                              ? fmt::format("an autovacuum (backend {})", pid)
                              : fmt::format("backend {}", pid);
  const std::string doing = state.empty() ? "" : fmt::format(", {}", state);
  const std::string since = seconds < 0 ? "" : fmt::format(", begun {:.0f} s ago", seconds);
  return fmt::format("{}{}{} holds {} on {}", who, doing, since, mode, table.full());
}

std::vector<Blocker> blockers_of(pg::Session& session, const std::vector<TableName>& tables,
                                 Lock lock, int except) {
  nlohmann::json names = nlohmann::json::array();
  for (const TableName& table : tables) {
    names.push_back({table.schema, table.name});
  }
  std::vector<Blocker> blockers;
  for (const auto& row : session.exec_params(std::string(sql::kLockHolders), names.dump(),
                                             array_text(conflicting(lock)), except)) {
    blockers.push_back({row[0].as<int>(),
                        row[1].c_str(),
                        {row[2].c_str(), row[3].c_str()},
                        row[4].c_str(),
                        row[5].c_str(),
                        row[6].c_str(),
                        row[7].as<double>(-1),
                        row[8].as<std::string>("")});
  }
  return blockers;
}

}  // namespace repld::cutover
