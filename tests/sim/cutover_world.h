// Two databases, writers and a daemon that moves a group from one to the other: core/cutover_fsm
// with everything around it in memory.
//
// A session of the daemon outlives it for a while, and so does what was sent to it: the COMMIT of a
// daemon that is dead may still take place. Row locks are what the real steps rely on: the session
// that freezes holds the journal's row on the old primary until it ends, the one that opens the row
// on the new one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "core/cutover_fsm.h"
#include "sim/random.h"

namespace repld::sim {

class CutoverWorld {
 public:
  using Trace = std::function<void(const std::string& line)>;

  CutoverWorld(uint64_t seed, Trace trace);

  // Some cutovers, there and back. Throws Broken.
  void run();

 private:
  struct Database {
    bool guarded = false;
    int64_t generation = 0;
    JournalState journal = JournalState::absent;
    std::set<int64_t> rows;
  };
  // Of the daemon on one database, with one transaction open.
  struct Session {
    bool alive = false;
    bool locked = false;     // the tables: writers wait
    bool commits = false;    // its COMMIT is on the way
    bool abandoned = false;  // by the daemon: ends by itself, or is ended
  };
  enum class Answer { done, refused, lost };

  Database& from() { return databases_[at_]; }
  Database& to() { return databases_[1 - at_]; }

  void cut_over();
  CutoverState live_on(CutoverState first);
  CutoverEvent perform(CutoverState state);
  CutoverEvent note();
  CutoverEvent settle();
  CutoverEvent open();
  CutoverEvent complete();
  CutoverEvent withdraw();
  bool set_journal(Database& database, const Session& lock, JournalState from, JournalState to);
  CutoverState find_where_to_go_on();

  // What the servers and the writers do in between; throws Crashed when the daemon dies.
  void tick();
  void write_somewhere();
  void end_sessions();
  Answer commit(Session& session, const std::function<void()>& effect);
  void land(Session& session, const std::function<void()>& effect);
  void close_old();
  void open_new();
  void check_never_both();
  void check_end();
  void say(const std::string& line) const { trace_(line); }

  Random random_;
  const Trace trace_;
  std::array<Database, 2> databases_;
  size_t at_ = 0;  // where the group lives when a cutover begins
  Session freezing_;
  Session opening_;
  std::set<int64_t> acknowledged_;
  std::set<int64_t> drained_;
  int64_t next_row_ = 1;
  bool faults_ = true;
  bool daemon_ = false;  // runs, and may die
  int steps_ = 0;
};

}  // namespace repld::sim
