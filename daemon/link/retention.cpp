#include "link/retention.h"

#include <spdlog/spdlog.h>

#include "embedded_sql.h"
#include "pg/session.h"

namespace repld::link {

namespace {

constexpr std::chrono::hours kInterval{1};
constexpr std::chrono::minutes kBeforeNextTry{1};
// Between two portions: whatever else the target has to do goes first.
constexpr std::chrono::milliseconds kBetweenPortions{100};

}  // namespace

void Retention::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Retention::stop() {
  thread_.request_stop();
  wakeup_.notify();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Retention::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      clean(stop);
      rest(kInterval);
    } catch (const Error& error) {
      spdlog::debug("retention: {}", error.what());
      rest(kBeforeNextTry);
    }
  }
}

void Retention::clean(const std::stop_token& stop) {
  pg::Session target(target_);
  if (target.exec("select to_regclass('repld.event')")[0][0].is_null()) {
    return;
  }
  size_t removed = 0;
  size_t portion = 0;
  do {
    portion = target.exec_params(std::string(sql::kRemoveOldEvents), link_).affected_rows();
    removed += portion;
    if (portion > 0) {
      rest(kBetweenPortions);
    }
  } while (portion > 0 && !stop.stop_requested());
  if (removed > 0) {
    spdlog::info("link \"{}\": {} old events removed", link_, removed);
  }
}

void Retention::rest(std::chrono::milliseconds duration) {
  poll_socket(-1, false, wakeup_, static_cast<int>(duration.count()));
}

}  // namespace repld::link
