#include "apply/restoration.h"

#include <algorithm>

#include "apply/row_guard.h"
#include "apply/surroundings.h"
#include "apply/table_arrays.h"
#include "base/pause.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "pg/catalog.h"

namespace repld::apply {

namespace {

// From one to the next; the last is above deadlock_timeout (1 s), after which an autovacuum yields.
constexpr int kLockTimeoutMinMs = 500;
constexpr int kLockTimeoutMaxMs = 2000;
constexpr std::chrono::milliseconds kPauseMin{200};
constexpr std::chrono::milliseconds kPauseMax{5000};
constexpr int kNotValidSince = 180000;  // on partitioned tables

std::string quoted(const TableName& table) { return quote_qualified(table.schema, table.name); }

// The ALTER TABLE action that brings a trigger or rule back to pg_trigger.tgenabled.
std::string enable_action(const std::string& enabled) {
  if (enabled == "A") {
    return "enable always";
  }
  return enabled == "R" ? "enable replica" : "enable";
}

// Somebody holds a lock, or was given the way in a deadlock.
bool passes_with_time(const std::string& sqlstate) {
  return sqlstate == "55P03" || sqlstate.substr(0, 2) == "40";
}

// The server will say the same for ever: what is named is gone, does not fit or does not hold.
bool is_lasting(const std::string& sqlstate) {
  const std::string group = sqlstate.substr(0, 2);
  return group == "42" || group == "3F" || group == "0A" || group == "22" || group == "23" ||
         sqlstate == "55000";
}

// Under a savepoint, so that a refusal does not undo what the transaction did before. Returns the
// SQLSTATE of a lasting refusal, empty on success; throws what may pass.
template <typename Change>
std::string refusal_of_change(pqxx::work& transaction, Change&& change) {
  try {
    pqxx::subtransaction step(transaction, "step");
    change(step);
    step.commit();
    return {};
  } catch (const pqxx::sql_error& failure) {
    std::string sqlstate = pg::sqlstate_of(failure);
    if (!is_lasting(sqlstate)) {
      throw;
    }
    return sqlstate;
  }
}

std::string refusal_of(pqxx::work& transaction, const std::string& sql) {
  return refusal_of_change(transaction, [&](pqxx::transaction_base& step) { step.exec(sql); });
}

bool is_partitioned(pqxx::work& transaction, const TableName& table) {
  const auto rows = transaction.exec_params(
      "select from pg_class where oid = to_regclass($1) and relkind = 'p'", quoted(table));
  return !rows.empty();
}

std::string without_not_valid(const std::string& definition) {
  const std::string ending = " NOT VALID";
  const bool ends =
      definition.size() >= ending.size() &&
      definition.compare(definition.size() - ending.size(), ending.size(), ending) == 0;
  return ends ? definition.substr(0, definition.size() - ending.size()) : definition;
}

}  // namespace

bool Restoration::run(const std::stop_token& stop) {
  if (scope_ == Scope::leaving) {
    for (const auto& row : target_.exec_params(std::string(sql::kLeavingRelations), link_)) {
      leaving_.insert({row[0].c_str(), row[1].c_str()});
    }
  }
  if (scope_ == Scope::group) {
    return run_all(foreign_key_steps(), stop) && run_all(validation_steps(), stop);
  }
  if (!run_all(relation_steps(), stop) || !run_all(object_steps(), stop) ||
      !run_all(validation_steps(), stop)) {
    return false;
  }
  // What stood disabled by itself was only kept from its root's restoration, and that has passed.
  target_.transact([&](pqxx::work& transaction) {
    for (const auto& row :
         transaction.exec_params("select schema_name, table_name, name from repld.set_aside "
                                 "where link = $1 and kind = 'trigger' and definition = 'D'",
                                 link_)) {
      const Entry entry{{row[0].c_str(), row[1].c_str()}, row[2].c_str(), "", ""};
      if (concerns(entry.table)) {
        strike_off(transaction, "trigger", entry);
      }
    }
  });
  return true;
}

bool Restoration::concerns(const TableName& table) const {
  return scope_ == Scope::all || leaving_.count(table) > 0;
}

std::vector<Restoration::Entry> Restoration::entries_of(const pqxx::result& rows) {
  std::vector<Entry> entries;
  for (const auto& row : rows) {
    entries.push_back(
        {{row[0].c_str(), row[1].c_str()}, row[2].c_str(), row[3].c_str(), row[4].c_str()});
  }
  return entries;
}

std::vector<Restoration::Entry> Restoration::entries(const std::string& kind) {
  std::vector<Entry> entries;
  const auto rows = target_.exec_params(
      "select schema_name, table_name, name, how, definition from repld.set_aside "
      "where link = $1 and kind = $2 and definition <> 'D' order by 1, 2, 3",
      link_, kind);
  for (const Entry& entry : entries_of(rows)) {
    if (concerns(entry.table)) {
      entries.push_back(entry);
    }
  }
  return entries;
}

std::vector<Restoration::Entry> Restoration::foreign_keys() {
  if (scope_ == Scope::all) {
    return entries("foreign_key");
  }
  const TableArrays group(group_);
  const auto given = [this](const std::string& array) {
    return scope_ == Scope::group ? array.c_str() : nullptr;
  };
  return entries_of(target_.exec_params(std::string(sql::kForeignKeysToReturn), link_,
                                        given(group.schemas), given(group.names)));
}

std::vector<Restoration::Step> Restoration::relation_steps() {
  const std::vector<Entry> triggers = entries("trigger");
  std::vector<Step> steps;
  for (const auto& row :
       target_.exec_params(std::string(sql::kRelationsToRestore), link_, guard_names(link_))) {
    const TableName table{row[0].c_str(), row[1].c_str()};
    if (!concerns(table)) {
      continue;
    }
    std::vector<Entry> own;
    std::copy_if(triggers.begin(), triggers.end(), std::back_inserter(own),
                 [&](const Entry& entry) { return entry.table == table; });
    steps.push_back({table.full(), [this, table, own](pqxx::work& transaction) {
                       for (const Entry& entry : own) {
                         enable_trigger(transaction, entry);
                       }
                       lift_guard(transaction, table);
                     }});
  }
  return steps;
}

std::vector<Restoration::Step> Restoration::foreign_key_steps() {
  std::vector<Step> steps;
  for (const Entry& entry : foreign_keys()) {
    if (entry.how != "validate") {
      steps.push_back({entry.table.full(), [this, entry](pqxx::work& transaction) {
                         add_foreign_key(transaction, entry);
                       }});
    }
  }
  return steps;
}

std::vector<Restoration::Step> Restoration::object_steps() {
  std::vector<Step> steps;
  for (const Entry& entry : entries("rule")) {
    steps.push_back({entry.table.full(),
                     [this, entry](pqxx::work& transaction) { enable_rule(transaction, entry); }});
  }
  for (Step& step : foreign_key_steps()) {
    steps.push_back(std::move(step));
  }
  for (const auto& row :
       target_.exec_params(std::string(sql::kGuardedTables), guard_names(link_))) {
    const TableName table{row[0].c_str(), row[1].c_str()};
    const std::string guard = row[2].c_str();
    if (!concerns(table)) {
      continue;
    }
    steps.push_back(
        {table.full(), [this, table, guard](pqxx::work& transaction) {
           settled(refusal_of(transaction, fmt::format("drop trigger if exists {} on {}",
                                                       quote_identifier(guard), quoted(table))),
                   fmt::format("the guard of \"{}\"", table.full()));
         }});
  }
  return steps;
}

std::vector<Restoration::Step> Restoration::validation_steps() {
  std::vector<Step> steps;
  for (const Entry& entry : foreign_keys()) {
    if (entry.how == "validate") {
      steps.push_back({entry.table.full(),
                       [this, entry](pqxx::work& transaction) { validate(transaction, entry); }});
    }
  }
  return steps;
}

bool Restoration::run_all(std::vector<Step> steps, const std::stop_token& stop) {
  int lock_timeout_ms = kLockTimeoutMinMs;
  std::chrono::milliseconds before_next = kPauseMin;
  std::string told;
  while (!steps.empty()) {
    std::vector<Step> busy;
    std::vector<std::string> tables;
    for (Step& step : steps) {
      if (stop.stop_requested()) {
        return false;
      }
      if (!attempt(step, lock_timeout_ms)) {
        if (std::find(tables.begin(), tables.end(), step.table) == tables.end()) {
          tables.push_back(step.table);
        }
        busy.push_back(std::move(step));
      }
    }
    steps = std::move(busy);
    const std::string waiting = fmt::format("for locks on {}", fmt::join(tables, ", "));
    if (!steps.empty() && waiting != told) {
      told = waiting;
      tell_("waiting", waiting);
    }
    if (!steps.empty()) {
      pause(before_next, stop);
    }
    before_next = std::min(before_next * 2, kPauseMax);
    lock_timeout_ms = std::min(lock_timeout_ms * 2, kLockTimeoutMaxMs);
  }
  return !stop.stop_requested();
}

bool Restoration::attempt(const Step& step, int lock_timeout_ms) {
  notes_.clear();
  try {
    target_.transact([&](pqxx::work& transaction) {
      transaction.exec(fmt::format("set local lock_timeout = {}", lock_timeout_ms));
      step.run(transaction);
    });
  } catch (const Error& error) {
    if (passes_with_time(error.sqlstate())) {
      return false;
    }
    throw;
  }
  for (const Note& note : notes_) {
    tell_(note.kind, note.message);
  }
  return true;
}

// By DISABLE, which readers of the table do not hold up, as they do DROP.
void Restoration::lift_guard(pqxx::work& transaction, const TableName& table) {
  for (const auto& row : transaction.exec_params(std::string(sql::kGuardsOfRelation), table.schema,
                                                 table.name, guard_names(link_))) {
    const std::string refusal =
        refusal_of(transaction, fmt::format("alter table only {} disable trigger {}", quoted(table),
                                            quote_identifier(row[0].c_str())));
    // The table, or the guard on it, is gone: that is as good.
    if (refusal != "42704" && refusal != "42P01" && refusal != "3F000") {
      settled(refusal, fmt::format("the guard of \"{}\"", table.full()));
    }
  }
}

void Restoration::enable_trigger(pqxx::work& transaction, const Entry& entry) {
  const std::string action = enable_action(entry.definition);
  const auto enable = [&](pqxx::transaction_base& step) {
    step.exec(fmt::format("alter table only {} {} trigger {}", quoted(entry.table), action,
                          quote_identifier(entry.name)));
    for (const auto& row : step.exec_params(std::string(sql::kDisabledClones), entry.table.schema,
                                            entry.table.name, entry.name, link_)) {
      step.exec(fmt::format("alter table only {} {} trigger {}",
                            quote_qualified(row[0].c_str(), row[1].c_str()), action,
                            quote_identifier(row[2].c_str())));
    }
  };
  if (settled(refusal_of_change(transaction, enable),
              fmt::format("trigger \"{}\" of \"{}\"", entry.name, entry.table.full()))) {
    strike_off(transaction, "trigger", entry);
  }
}

void Restoration::enable_rule(pqxx::work& transaction, const Entry& entry) {
  const std::string refusal = refusal_of(
      transaction, fmt::format("alter table only {} {} rule {}", quoted(entry.table),
                               enable_action(entry.definition), quote_identifier(entry.name)));
  if (settled(refusal, fmt::format("rule \"{}\" of \"{}\"", entry.name, entry.table.full()))) {
    strike_off(transaction, "rule", entry);
  }
}

// What the journal says of a foreign key against what the catalog shows of its table.
std::string Restoration::changed_meanwhile(pqxx::work& transaction, const Entry& entry) {
  const bool stands = !transaction
                           .exec_params(std::string(sql::kTableConstraint), entry.table.schema,
                                        entry.table.name, entry.name)
                           .empty();
  if (entry.how == "not_enforced" && !stands) {
    return "was dropped meanwhile";
  }
  return entry.how == "dropped" && stands ? "was added meanwhile and is left as it is" : "";
}

void Restoration::add_foreign_key(pqxx::work& transaction, const Entry& entry) {
  const std::string what =
      fmt::format("foreign key \"{}\" of \"{}\"", entry.name, entry.table.full());
  if (const std::string change = changed_meanwhile(transaction, entry); !change.empty()) {
    note("not_restored", what + " " + change);
    strike_off(transaction, "foreign_key", entry);
    return;
  }
  const std::string plain = without_not_valid(entry.definition);
  // Before 18 those of a partitioned table cannot be NOT VALID.
  const bool at_once =
      target_.server_version() < kNotValidSince && is_partitioned(transaction, entry.table);
  const auto add = [&](pqxx::transaction_base& step) {
    const std::string alter = fmt::format("alter table {} ", quoted(entry.table));
    const std::string name = quote_identifier(entry.name);
    if (entry.how == "not_enforced") {
      step.exec(alter + "drop constraint " + name);
    }
    step.exec(
        fmt::format("{}add constraint {} {}{}", alter, name, plain, at_once ? "" : " not valid"));
  };
  const std::string refusal = refusal_of_change(transaction, add);
  if (refusal.empty() && !at_once && plain == entry.definition) {
    transaction.exec_params(
        "update repld.set_aside set how = 'validate' where link = $1 and kind = 'foreign_key' "
        "and schema_name = $2 and table_name = $3 and name = $4",
        link_, entry.table.schema, entry.table.name, entry.name);
  } else if (settled(refusal, fmt::format("{}, {},", what, entry.definition))) {
    strike_off(transaction, "foreign_key", entry);
  }
}

void Restoration::validate(pqxx::work& transaction, const Entry& entry) {
  const std::string refusal =
      refusal_of(transaction, fmt::format("alter table {} validate constraint {}",
                                          quoted(entry.table), quote_identifier(entry.name)));
  if (!refusal.empty()) {
    note("not_valid",
         fmt::format("foreign key \"{}\" of \"{}\" could not be validated (SQLSTATE {}) and stays "
                     "NOT VALID: it holds for new rows only. Mend the rows, then ALTER TABLE .. "
                     "VALIDATE CONSTRAINT.",
                     entry.name, entry.table.full(), refusal));
  }
  strike_off(transaction, "foreign_key", entry);
}

bool Restoration::settled(const std::string& sqlstate, const std::string& what) {
  if (sqlstate.empty()) {
    return true;
  }
  note("not_restored", fmt::format("{} cannot be restored (SQLSTATE {})", what, sqlstate));
  return sqlstate != "42501";
}

void Restoration::strike_off(pqxx::work& transaction, const std::string& kind, const Entry& entry) {
  transaction.exec_params(
      "delete from repld.set_aside where link = $1 and kind = $2 and schema_name = $3 "
      "and table_name = $4 and name = $5",
      link_, kind, entry.table.schema, entry.table.name, entry.name);
}

void Restoration::note(std::string kind, std::string message) {
  notes_.push_back({std::move(kind), std::move(message)});
}

}  // namespace repld::apply
