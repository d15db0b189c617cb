// Ends what apply/surroundings began: lifts a link's guard, puts back what the journal says.
//
// Needs neither progress row nor nonce: guard and journal are found by the link's name. Step by
// step, each a short transaction that ends with its journal entry struck off, so that a crash
// leaves every entry either restored or in the journal, and running it again does the rest. Locks
// are waited for briefly, as others queue behind us; who finds a table locked tries again after
// the others, until stopped.
//   1 per relation: guard disabled, triggers enabled, in one transaction, so that no write slips
//     in between; roots before their partitions
//   2 rules; foreign keys NOT VALID, which scans nothing; guard triggers dropped
//   3 foreign keys validated. The entry stays until then, as 'validate'
// What cannot come back (dropped meanwhile) is told and struck off: it must not keep the rest from
// coming back. So is a foreign key that does not hold, which stays NOT VALID. What we may not touch
// (42501) is told and stays in the journal.
#pragma once

#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/table.h"
#include "pg/session.h"

namespace repld::apply {

class Restoration {
 public:
  using Tell = std::function<void(const std::string& kind, const std::string& message)>;

  // `all`: of the link. `leaving`: of the tables that repld.table_state says are leaving it; a
  // foreign key that ends at a table which stays is left aside. `group`: of tables that
  // repld.open_group() has opened, what may read them: foreign keys that it left aside, validation.
  enum class Scope { all, leaving, group };

  // Borrows the target session.
  Restoration(pg::Session& target, std::string link, Tell tell, Scope scope = Scope::all)
      : target_(target), link_(std::move(link)), tell_(std::move(tell)), scope_(scope) {}
  Restoration(pg::Session& target, std::string link, Tell tell, std::vector<TableName> group)
      : target_(target),
        link_(std::move(link)),
        tell_(std::move(tell)),
        scope_(Scope::group),
        group_(std::move(group)) {}

  // False when stopped before the end. Throws Error when the target goes away.
  bool run(const std::stop_token& stop);

 private:
  struct Entry {
    TableName table;
    std::string name;
    std::string how;
    std::string definition;
  };
  struct Step {
    std::string table;  // whose lock it may have to wait for
    std::function<void(pqxx::work& transaction)> run;
  };
  // Told once the step's transaction is committed.
  struct Note {
    std::string kind;
    std::string message;
  };

  static std::vector<Entry> entries_of(const pqxx::result& rows);
  std::vector<Entry> entries(const std::string& kind);
  std::vector<Entry> foreign_keys();
  bool concerns(const TableName& table) const;
  std::vector<Step> relation_steps();
  std::vector<Step> foreign_key_steps();
  std::vector<Step> object_steps();
  std::vector<Step> validation_steps();

  bool run_all(std::vector<Step> steps, const std::stop_token& stop);
  bool attempt(const Step& step, int lock_timeout_ms);

  void lift_guard(pqxx::work& transaction, const TableName& table);
  void enable_trigger(pqxx::work& transaction, const Entry& entry);
  void enable_rule(pqxx::work& transaction, const Entry& entry);
  void add_foreign_key(pqxx::work& transaction, const Entry& entry);
  std::string changed_meanwhile(pqxx::work& transaction, const Entry& entry);
  void validate(pqxx::work& transaction, const Entry& entry);

  // Whether the entry is done with: restored, or told to be impossible.
  bool settled(const std::string& sqlstate, const std::string& what);
  void strike_off(pqxx::work& transaction, const std::string& kind, const Entry& entry);
  void note(std::string kind, std::string message);

  pg::Session& target_;
  const std::string link_;
  const Tell tell_;
  const Scope scope_;
  const std::vector<TableName> group_ = {};
  std::set<TableName> leaving_;  // with their partitions
  std::vector<Note> notes_;
};

}  // namespace repld::apply
