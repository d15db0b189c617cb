#include "core/table_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/ownership.h"

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

std::vector<Finding> divided_tables(const Config& config, const schema::Database& source) {
  std::vector<Finding> findings;
  for (const schema::Table& table : source.tables) {
    const std::string group = group_of(config, table.name.schema, table.name.name);
    const std::string of_root = group_of(config, table.root.schema, table.root.name);
    if (group == "all" || group == of_root) {
      continue;
    }
    Finding finding;
    finding.severity = Severity::warning;
    finding.check = "groups";
    finding.side = Side::source;
    finding.what = fmt::format("group {} names partition {}, but {} is in group {}", group,
                               table.name.full(), table.root.full(), of_root);
    finding.why = "A partitioned table is replicated, or left alone, as a whole.";
    finding.action = "Name the partitioned table itself in the group.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

namespace {

Finding set_aside_finding(const schema::Constraint& constraint, const TableName& from) {
  Finding finding;
  finding.severity = Severity::warning;
  finding.check = "foreign_key";
  finding.side = Side::target;
  finding.what = fmt::format("foreign key {} of {}, which references {}, is set aside",
                             constraint.name, from.full(), constraint.references.full());
  return finding;
}

// From a table that the link leaves alone to one that it writes to.
Finding incoming(const schema::Table& from, const schema::Constraint& constraint,
                 const schema::Database& target) {
  Finding finding = set_aside_finding(constraint, from.name);
  if (from.owned) {
    finding.why = fmt::format(
        "While {0} is a replica nothing checks that the rows of {1} lead somewhere, and what its "
        "ON DELETE and ON UPDATE say does not happen: else a row that the source deletes would "
        "take rows of {1} along, or the link would stop. finalize brings it back.",
        constraint.references.full(), from.name.full());
    finding.action =
        "Before finalize remove what leads nowhere by then; else it stays NOT VALID, and holds for "
        "new rows only.";
    return finding;
  }
  finding.severity = Severity::error;
  finding.check = "ownership";
  finding.what = fmt::format("foreign key {} of {}, which references {}, cannot be set aside",
                             constraint.name, from.name.full(), constraint.references.full());
  finding.why =
      fmt::format("{} belongs to {}, and only its owner can.", from.name.full(), from.owner);
  mend_ownership(from, target, finding);
  finding.action += " Or drop the foreign key.";
  return finding;
}

// From a table that the link writes to, to one that it leaves alone.
Finding outgoing(const schema::Table& from, const schema::Constraint& constraint) {
  Finding finding = set_aside_finding(constraint, from.name);
  finding.why =
      fmt::format("Rows of {} come from the source as they are, and {} of the target does not.",
                  from.name.full(), constraint.references.full());
  finding.action =
      "finalize brings it back; rows that lead nowhere by then leave it NOT VALID, which holds for "
      "new rows only.";
  return finding;
}

}  // namespace

std::vector<Finding> bordering_foreign_keys(const schema::Database& replicated,
                                            const schema::Database& others) {
  std::vector<Finding> findings;
  const auto for_each = [](const schema::Database& database, auto&& use) {
    for (const schema::Table& table : database.tables) {
      for (const schema::Constraint& constraint : table.constraints) {
        if (constraint.kind == 'f') {
          use(table, constraint);
        }
      }
    }
  };
  for_each(others, [&](const schema::Table& table, const schema::Constraint& constraint) {
    if (replicated.find_table(constraint.references) != nullptr) {
      findings.push_back(incoming(table, constraint, replicated));
    }
  });
  for_each(replicated, [&](const schema::Table& table, const schema::Constraint& constraint) {
    if (replicated.find_table(constraint.references) == nullptr) {
      findings.push_back(outgoing(table, constraint));
    }
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
