#include "core/table_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace repld {

namespace {

// Calls use(root of the referencing table, root of the referenced one, constraint).
template <typename Use>
void for_each_foreign_key(const schema::Database& source, Use&& use) {
  for (const schema::Table& table : source.tables) {
    for (const schema::Constraint& constraint : table.constraints) {
      const schema::Table* other =
          constraint.kind == 'f' ? source.find_table(constraint.references) : nullptr;
      if (other != nullptr) {
        use(table.root, other->root, constraint);
      }
    }
  }
}

using Leaders = std::map<std::string, std::string>;

std::string leader_of(const Leaders& leaders, std::string name) {
  while (leaders.at(name) != name) {
    name = leaders.at(name);
  }
  return name;
}

}  // namespace

std::vector<Finding> crossing_foreign_keys(const Config& config, const schema::Database& source) {
  std::vector<Finding> findings;
  for_each_foreign_key(source, [&](const TableName& from, const TableName& to,
                                   const schema::Constraint& constraint) {
    const std::string from_group = group_of(config, from.schema, from.name);
    const std::string to_group = group_of(config, to.schema, to.name);
    if (from_group == to_group) {
      return;
    }
    Finding finding;
    finding.severity = Severity::warning;
    finding.check = "groups";
    finding.side = Side::source;
    finding.what = fmt::format("foreign key {} leads from {} (group {}) to {} (group {})",
                               constraint.name, from.full(), from_group, to.full(), to_group);
    finding.why = "While the groups are written on different sides, no server can check it.";
    finding.action = "Put both tables into one group, or move the groups together.";
    findings.push_back(std::move(finding));
  });
  return findings;
}

std::vector<std::vector<std::string>> closed_groups(const schema::Database& source) {
  Leaders leaders;
  for (const schema::Table& table : source.tables) {
    leaders[table.root.full()] = table.root.full();
  }
  for_each_foreign_key(source,
                       [&](const TableName& from, const TableName& to, const schema::Constraint&) {
                         leaders[leader_of(leaders, from.full())] = leader_of(leaders, to.full());
                       });
  std::map<std::string, std::vector<std::string>> members;
  for (const auto& [name, unused] : leaders) {
    members[leader_of(leaders, name)].push_back(name);
  }
  std::vector<std::vector<std::string>> groups;
  for (auto& [unused, names] : members) {
    groups.push_back(std::move(names));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace repld
