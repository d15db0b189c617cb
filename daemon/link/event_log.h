// What happened to a link, for people: the last events in memory, more of them in repld.event,
// which link/housekeeping keeps small.
//
// record() only remembers; what is new is written within seconds by link/housekeeping, and by the
// link's thread where it must not get lost. What happens while the target is away is kept until it
// is back, unless the process dies first.
//
// The way back records into the log of the forward link, so that there is one order of all that
// happens.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/synchronized.h"
#include "core/status.h"
#include "pg/session.h"

namespace repld::link {

class EventLog {
 public:
  // `main`: of the forward link, which takes and stores what is recorded here. Borrows it.
  explicit EventLog(std::string link, EventLog* main = nullptr)
      : link_(std::move(link)), main_(main) {}

  // Also logs it. No row values in `message`.
  void record(const std::string& kind, const std::string& message);

  // Up to `limit` events with an id above `after`, oldest first. Any thread.
  std::vector<Event> after(int64_t id, size_t limit) const;

  // Any thread: reads what earlier runs left (once) and writes what is new. Schema repld is there.
  void store(pg::Session& target);
  // Whether there is something to store, and whoever stored before has found the tables.
  bool has_unsaved();
  // Whether somebody stored before.
  bool is_loaded();

 private:
  struct State {
    std::deque<Event> events;
    std::deque<Event> unsaved;
    int64_t last_id = 0;
    bool loaded = false;
  };

  void load(pg::Session& target);
  void record_as(const std::string& link, const std::string& kind, const std::string& message);

  const std::string link_;
  EventLog* const main_;
  std::mutex storing_;  // one at a time, so that nothing is written twice
  Synchronized<State> state_;
};

}  // namespace repld::link
