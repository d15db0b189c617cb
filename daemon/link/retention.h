// Keeps repld's own tables small: events of the last 30 days, at most 10,000 a link.
//
// At the start and every hour, on a thread and, while there is something to do, with a session of
// its own: it holds nothing up, and a target that is away is asked again a minute later. Rows go
// in small portions, each a transaction. The other tables of schema repld do not grow with time:
// they have a row per link, per table, or per chunk of the first copy; of each table's comparisons
// a hundred are kept as the next is stored.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "base/wakeup.h"
#include "pg/server.h"

namespace repld::link {

class Retention {
 public:
  Retention(pg::Server target, std::string link)
      : target_(std::move(target)), link_(std::move(link)) {}

  void start();
  void stop();

 private:
  void run(const std::stop_token& stop);
  void clean(const std::stop_token& stop);
  void rest(std::chrono::milliseconds duration);

  const pg::Server target_;
  const std::string link_;
  Wakeup wakeup_;  // notified to stop
  std::jthread thread_;
};

}  // namespace repld::link
