#include "verify/courtesy.h"

#include <spdlog/spdlog.h>

#include "base/pause.h"
#include "pg/session.h"

namespace repld::verify {

namespace {

constexpr std::chrono::milliseconds kInterval{500};
// ACCESS EXCLUSIVE is all that our ACCESS SHARE stands against.
constexpr const char* kIsWaitedFor =
    "select exists (select from pg_catalog.pg_locks where not granted and mode = "
    "'AccessExclusiveLock' and $1::int = any (pg_catalog.pg_blocking_pids(pid)))";

}  // namespace

Courtesy::Courtesy(const std::vector<Watched>& watched, const std::stop_source& give_way) {
  for (const Watched& each : watched) {
    threads_.emplace_back(
        [each, give_way](const std::stop_token& stop) { watch(each, give_way, stop); });
  }
}

void Courtesy::watch(const Watched& watched, std::stop_source give_way,
                     const std::stop_token& stop) {
  try {
    pg::Session session(watched.server);
    while (!stop.stop_requested() && !give_way.stop_requested()) {
      if (session.exec_params(kIsWaitedFor, watched.backend_pid)[0][0].as<bool>()) {
        give_way.request_stop();
      }
      pause(kInterval, stop);
    }
  } catch (const Error& error) {
    // Who cannot see whether somebody waits does not keep anybody waiting.
    spdlog::debug("verify: {}", error.what());
    give_way.request_stop();
  }
}

}  // namespace repld::verify
