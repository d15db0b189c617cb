// What happened to a link, for people: the last events in memory, more of them in repld.event,
// which link/retention keeps small.
//
// record() only remembers; the link's thread writes what is new when it has a target session, so
// an event that happens while the target is away is not lost unless the process dies first.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/synchronized.h"
#include "core/status.h"
#include "pg/session.h"

namespace repld::link {

class EventLog {
 public:
  explicit EventLog(std::string link) : link_(std::move(link)) {}

  // Also logs it. No row values in `message`.
  void record(const std::string& kind, const std::string& message);

  // Up to `limit` events with an id above `after`, oldest first. Any thread.
  std::vector<Event> after(int64_t id, size_t limit) const;

  // Reads what earlier runs left (once) and writes what is new.
  void store(pg::Session& target);

 private:
  struct State {
    std::deque<Event> events;
    std::deque<Event> unsaved;
    int64_t last_id = 0;
    bool loaded = false;
  };

  void load(pg::Session& target);

  const std::string link_;
  Synchronized<State> state_;
};

}  // namespace repld::link
