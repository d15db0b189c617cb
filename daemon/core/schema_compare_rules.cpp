// Constraints, indexes, triggers and row level security of a table that both sides have.
#include <fmt/format.h>

#include <algorithm>

#include "core/effects.h"
#include "core/schema_compare.h"
#include "core/schema_essence.h"
#include "core/sql_text.h"

namespace repld::schema {

namespace {

constexpr const char* kAfterCutover = "After the cutover nobody would check it.";
constexpr const char* kFindsRows = "Rows are found by it: without it no change can be applied.";
constexpr const char* kMayRefuse = "It could refuse rows that the source accepts.";

const char* kind_name(char kind) {
  switch (kind) {
    case 'p': return "primary key";
    case 'u': return "unique constraint";
    case 'x': return "exclusion constraint";
    case 'f': return "foreign key";
    default: return "check constraint";
  }
}

bool is_set_aside(const Database& target, const Table& table, const std::string& name) {
  return std::find(target.set_aside.begin(), target.set_aside.end(), SetAside{table.name, name}) !=
         target.set_aside.end();
}

constexpr const char* kIndexGoes =
    "Queries that used it become slower, and what it kept unique is no longer kept so. ";
constexpr const char* kHoldsNoMore = "What it has refused on the target is accepted from then on. ";

constexpr const char* kTriggerActs =
    "It acts on what applications write here from then on (not on what repld writes); writers wait "
    "for a moment.";

std::string adding_effect(char kind) {
  switch (kind) {
    case 'f':
      return "Nobody can write to either table until every row is checked; one that leads nowhere "
             "stops it, and is refused from then on.";
    case 'c':
      return std::string(
                 "What contradicts it is refused from then on, and stops it if it is there. ") +
             kLocksWhileChecked;
    default:
      return "Nobody can read or write the table until its index is built; rows that contradict it "
             "stop it, and are refused from then on.";
  }
}

const Constraint* find_alike(const Table& table, const Constraint& wanted) {
  for (const Constraint& each : table.constraints) {
    if (each.kind == wanted.kind && essence_of(each) == essence_of(wanted)) {
      return &each;
    }
  }
  return nullptr;
}

bool has_named(const Table& table, const std::string& name) {
  return std::any_of(table.constraints.begin(), table.constraints.end(),
                     [&](const Constraint& each) { return each.name == name; });
}

std::string drop_constraint(const Table& table, const std::string& name) {
  return fmt::format("alter table {} drop constraint {}", quoted(table.name),
                     quote_identifier(name));
}

void add_missing(const Database& target, const Table& want, const Table& have,
                 const Constraint& constraint, std::vector<Change>& changes) {
  const bool otherwise = has_named(have, constraint.name);
  const Statement add = add_constraint(want, constraint);
  std::vector<Statement> statements;
  if (otherwise) {
    statements.push_back({add.phase, drop_constraint(have, constraint.name),
                          kHoldsNoMore + std::string(kLocksForMoment)});
  }
  statements.push_back(add);
  statements.back().effect = adding_effect(constraint.kind);
  const bool primary = constraint.kind == 'p';
  const bool key = primary || constraint.name == want.identity_index;
  changes.push_back(change_of(
      key ? Severity::error : Severity::warning, primary ? "primary_key" : "constraint",
      fmt::format("{} {} of {} is {}", kind_name(constraint.kind), constraint.name,
                  want.name.full(), otherwise ? "not the source's" : "missing"),
      key ? kFindsRows : kAfterCutover, std::move(statements), altering_role(target, have)));
  if (constraint.kind == 'f') {
    changes.back().finding.check = "foreign_key";
  }
}

const Index* find_alike(const Table& table, const Index& wanted) {
  for (const Index& each : table.indexes) {
    if (essence_of(each) == essence_of(wanted)) {
      return &each;
    }
  }
  return nullptr;
}

bool has_index_named(const Table& table, const std::string& name) {
  return std::any_of(table.indexes.begin(), table.indexes.end(),
                     [&](const Index& each) { return each.name == name; });
}

std::string drop_index(const Table& table, const std::string& name) {
  return fmt::format("drop index {}", quote_qualified(table.name.schema, name));
}

}  // namespace

void compare_constraints(const Database& target, const Table& want, const Table& have,
                         std::vector<Change>& changes) {
  for (const Constraint& constraint : want.constraints) {
    if (find_alike(have, constraint) == nullptr && !is_set_aside(target, want, constraint.name)) {
      add_missing(target, want, have, constraint, changes);
    }
  }
  for (const Constraint& constraint : have.constraints) {
    // Foreign keys are set aside while the side is a replica: they refuse nothing.
    if (constraint.kind == 'f' || find_alike(want, constraint) != nullptr ||
        has_named(want, constraint.name)) {
      continue;
    }
    changes.push_back(
        change_of(Severity::warning, "constraint",
                  fmt::format("{} {} of {} is not on the source", kind_name(constraint.kind),
                              constraint.name, want.name.full()),
                  kMayRefuse,
                  {{Phase::constraint, drop_constraint(have, constraint.name),
                    kHoldsNoMore + std::string(kLocksForMoment)}},
                  altering_role(target, have)));
    changes.back().in_script = false;
  }
}

void compare_indexes(const Database& target, const Table& want, const Table& have,
                     std::vector<Change>& changes) {
  for (const Index& index : want.indexes) {
    if (index.of_constraint || find_alike(have, index) != nullptr) {
      continue;
    }
    std::vector<Statement> statements;
    const bool otherwise = has_index_named(have, index.name);
    if (otherwise) {
      statements.push_back(
          {Phase::index, drop_index(have, index.name), kIndexGoes + std::string(kLocksForMoment)});
    }
    statements.push_back({Phase::index, create_index(index), kWritersWait});
    const bool key = index.name == want.identity_index;
    changes.push_back(change_of(key ? Severity::error : Severity::warning, "index",
                                fmt::format("index {} of {} is {}", index.name, want.name.full(),
                                            otherwise ? "not the source's" : "missing"),
                                key ? kFindsRows
                                : index.unique
                                    ? "After the cutover nobody would keep its values unique."
                                    : "After the cutover queries would be slower.",
                                std::move(statements), altering_role(target, have)));
  }
  for (const Index& index : have.indexes) {
    if (index.unique && !index.of_constraint && find_alike(want, index) == nullptr &&
        !has_index_named(want, index.name)) {
      changes.push_back(change_of(
          Severity::warning, "index",
          fmt::format("unique index {} of {} is not on the source", index.name, want.name.full()),
          kMayRefuse,
          {{Phase::index, drop_index(have, index.name), kIndexGoes + std::string(kLocksForMoment)}},
          altering_role(target, have)));
      changes.back().in_script = false;
    }
  }
}

void compare_triggers(const Database& target, const Table& want, const Table& have,
                      std::vector<Change>& changes) {
  for (const Trigger& trigger : want.triggers) {
    const auto found = std::find_if(have.triggers.begin(), have.triggers.end(),
                                    [&](const Trigger& each) { return each.name == trigger.name; });
    const std::string title = fmt::format("trigger {} of {}", trigger.name, want.name.full());
    const std::string name = quote_identifier(trigger.name);
    if (found == have.triggers.end()) {
      std::vector<Statement> statements = create_trigger(want, trigger);
      statements.front().effect = kTriggerActs;
      changes.push_back(change_of(Severity::warning, "trigger", title + " is missing",
                                  "After the cutover it would not act.", std::move(statements),
                                  altering_role(target, have)));
    } else if (found->definition != trigger.definition) {
      std::vector<Statement> statements = create_trigger(want, trigger);
      statements.front().effect = kTriggerActs;
      statements.insert(
          statements.begin(),
          {Phase::trigger, fmt::format("drop trigger {} on {}", name, quoted(have.name)),
           std::string("The one that is there acts no more. ") + kLocksForMoment});
      changes.push_back(change_of(Severity::warning, "trigger", title + " is not the source's",
                                  "After the cutover it would act otherwise.",
                                  std::move(statements), altering_role(target, have)));
    } else if (found->enabled != trigger.enabled && !is_set_aside(target, want, trigger.name)) {
      changes.push_back(
          change_of(Severity::warning, "trigger",
                    fmt::format("{} is {}, on the source it is not", title,
                                found->enabled ? "enabled" : "disabled"),
                    "After the cutover it would act otherwise.",
                    {{Phase::trigger,
                      fmt::format("alter table {} {} trigger {}", quoted(have.name),
                                  trigger.enabled ? "enable" : "disable", name),
                      trigger.enabled ? kTriggerActs
                                      : "It acts no more on what applications write here; writers "
                                        "wait for a moment."}},
                    altering_role(target, have)));
    }
  }
}

void compare_row_security(const Database& target, const Table& want, const Table& have,
                          std::vector<Change>& changes) {
  for (const Policy& policy : want.policies) {
    const bool there = std::any_of(have.policies.begin(), have.policies.end(),
                                   [&](const Policy& each) { return each.name == policy.name; });
    if (!there) {
      changes.push_back(change_of(
          Severity::warning, "policy",
          fmt::format("policy {} of {} is missing", policy.name, want.name.full()),
          "After the cutover other roles would see other rows.",
          {{Phase::row_security, policy.definition,
            std::string("Roles that it names see and write other rows from then on, where "
                        "row level security is on. ") +
                kLocksForMoment}},
          altering_role(target, have)));
    }
  }
  if (want.row_security && !have.row_security) {
    changes.push_back(
        change_of(Severity::warning, "row_security",
                  fmt::format("row level security of {} is off", want.name.full()),
                  "After the cutover other roles would see all rows.",
                  {{Phase::row_security,
                    fmt::format("alter table {} enable row level security", quoted(have.name)),
                    std::string("Roles other than the owner see and write only what a policy lets "
                                "them, without one nothing. ") +
                        kLocksForMoment}},
                  altering_role(target, have)));
  }
  if (have.hides_rows && have.row_security_forced) {  // else whose table it is stands in the way
    changes.push_back(change_of(
        Severity::error, "row_security",
        fmt::format("row level security of {} applies to {}", want.name.full(), target.user),
        "Rows would be hidden from repld or refused.",
        {{Phase::row_security,
          fmt::format("alter table {} no force row level security", quoted(have.name)),
          effect_of_unforced_policies(have.owner)}},
        have.owner));
  }
}

}  // namespace repld::schema
