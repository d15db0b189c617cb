// Gives way: while a comparison reads, its locks keep TRUNCATE and much DDL waiting, and whoever
// queues behind those. This looks twice a second, on both servers, and ends the comparison when
// somebody waits for it so: the application, or our own applier with a TRUNCATE of the source.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>
#include <vector>

#include "pg/connection.h"
#include "pg/server.h"

namespace repld::verify {

class Courtesy {
 public:
  struct Watched {
    pg::Server server;
    int backend_pid = 0;
  };

  // Watches these backends until destroyed, each from a session of its own; `give_way` is requested
  // once.
  Courtesy(const std::vector<Watched>& watched, const std::stop_source& give_way);

 private:
  static void watch(const Watched& watched, std::stop_source give_way, const std::stop_token& stop);

  std::vector<std::jthread> threads_;
};

}  // namespace repld::verify
