// Writes what happened into repld.event, within seconds, and keeps repld's own tables small: events
// of the last 30 days, at most 10,000 a link.
//
// On a thread and, while there is something to do, with a session of its own: it holds nothing up,
// and a target that is away is asked again later. Old rows go at the start and every hour, in small
// portions, each a transaction. The other tables of schema repld do not grow with time: they have a
// row per link, per table, or per chunk of the first copy; of each table's comparisons a hundred
// are kept as the next is stored.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/wakeup.h"
#include "link/event_log.h"
#include "pg/server.h"

namespace repld::link {

class Housekeeping {
 public:
  // Borrows the log.
  Housekeeping(pg::Server target, std::string link, EventLog& events)
      : target_(std::move(target)), link_(std::move(link)), events_(events) {}

  void start();
  void stop();

 private:
  void run(const std::stop_token& stop);
  void store_events();
  void clean(const std::stop_token& stop);
  void rest(std::chrono::milliseconds duration);

  const pg::Server target_;
  const std::string link_;
  EventLog& events_;
  Wakeup wakeup_;  // notified to stop
  std::jthread thread_;
};

}  // namespace repld::link
