#include "core/schema_compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/ownership.h"

namespace repld::schema {

namespace {

void compare_table(const Database& source, const Database& target, const Table& want,
                   std::vector<Change>& changes) {
  const Table* have = target.find_table(want.name);
  if (have == nullptr) {
    changes.push_back(change_of(
        want.parent ? Severity::warning : Severity::error, want.parent ? "partition" : "table",
        fmt::format("{} {} is missing", want.parent ? "partition" : "table", want.name.full()),
        want.parent ? "Rows for it would find no place." : "There is no place for its rows.",
        create_table(source, want), target.user));
    if (want.parent && target.find_table(*want.parent) != nullptr) {
      changes.back().finding.effect = fmt::format(
          "Nobody can read or write {} until rows of its default partition, if it has "
          "one, are looked through.",
          want.parent->full());
    }
    return;
  }
  if (want.partition_key != have->partition_key || want.bounds != have->bounds) {
    Change change =
        change_of(Severity::error, "partition",
                  fmt::format("{} is divided otherwise than on the source", want.name.full()),
                  fmt::format("Source: {} {}; target: {} {}", want.partition_key, want.bounds,
                              have->partition_key, have->bounds),
                  {}, target.user);
    change.finding.action = "Drop it on the target and run doctor again for its definition.";
    changes.push_back(std::move(change));
  }
  if (want.inherits != have->inherits) {
    Change change = change_of(Severity::warning, "inheritance",
                              fmt::format("{} inherits otherwise", want.name.full()),
                              "Queries through the parent would see other rows.", {}, target.user);
    change.finding.action = "Use ALTER TABLE .. INHERIT or NO INHERIT.";
    changes.push_back(std::move(change));
  }
  if (!have->owned) {
    changes.push_back(change_of(
        Severity::error, "ownership",
        fmt::format("table {} belongs to {}, not to {}", want.name.full(), have->owner,
                    target.user),
        "Only its owner can put guard triggers on it and set its foreign keys aside.", {}, ""));
    mend_ownership(*have, target, changes.back().finding);
  }
  compare_columns(target, want, *have, changes);
  compare_constraints(target, want, *have, changes);
  compare_indexes(target, want, *have, changes);
  compare_triggers(target, want, *have, changes);
  compare_row_security(target, want, *have, changes);
}

// Foreign keys of tables that are missing: on their own, after all tables.
void add_foreign_keys(const Database& target, const Table& want, std::vector<Change>& changes) {
  for (const Constraint& constraint : want.constraints) {
    if (constraint.kind == 'f') {
      changes.push_back(change_of(
          Severity::warning, "foreign_key",
          fmt::format("foreign key {} of {} is missing", constraint.name, want.name.full()),
          "While the target is a replica the source checks it; afterwards nobody would.",
          {add_constraint(want, constraint)}, target.user));
    }
  }
}

// Each sentence once.
std::string effect_of(const std::vector<Statement>& statements) {
  std::string text;
  for (const Statement& statement : statements) {
    if (text.find(statement.effect) == std::string::npos) {
      text += (text.empty() ? "" : " ") + statement.effect;
    }
  }
  return text;
}

Phase phase_of(const Change& change) {
  Phase first = Phase::foreign_key;
  for (const Statement& statement : change.statements) {
    first = std::min(first, statement.phase);
  }
  return first;
}

}  // namespace

const std::string& altering_role(const Database& target, const Table& table) {
  return table.owned ? target.user : table.owner;
}

Change change_of(Severity severity, const char* check, std::string what, std::string why,
                 std::vector<Statement> statements, const std::string& role) {
  Change change;
  change.finding.severity = severity;
  change.finding.check = check;
  change.finding.side = Side::target;
  change.finding.what = std::move(what);
  change.finding.why = std::move(why);
  change.finding.sql = text_of(statements);
  change.finding.effect = effect_of(statements);
  change.finding.role = statements.empty() ? "" : role;
  change.statements = std::move(statements);
  return change;
}

std::vector<Change> compare(const Database& source, const Database& target) {
  std::vector<Change> changes;
  compare_surroundings(source, target, changes);
  for (const Table& want : source.tables) {
    compare_table(source, target, want, changes);
  }
  for (const Table& want : source.tables) {
    if (target.find_table(want.name) == nullptr) {
      add_foreign_keys(target, want, changes);
    }
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& left, const Change& right) {
    return phase_of(left) < phase_of(right);
  });
  return changes;
}

}  // namespace repld::schema
