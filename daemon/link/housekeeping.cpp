#include "link/housekeeping.h"

#include <spdlog/spdlog.h>

#include <functional>

#include "core/direction.h"
#include "embedded_sql.h"
#include "pg/session.h"

namespace repld::link {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kInterval{5};
constexpr std::chrono::seconds kCleanInterval{3600};
constexpr std::chrono::seconds kBeforeNextTry{60};
// Between two portions: whatever else the target has to do goes first.
constexpr std::chrono::milliseconds kBetweenPortions{100};

bool try_to(const std::function<void()>& work) {
  try {
    work();
    return true;
  } catch (const std::exception& failure) {
    spdlog::debug("housekeeping: {}", failure.what());
    return false;
  }
}

}  // namespace

void Housekeeping::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Housekeeping::stop() {
  thread_.request_stop();
  wakeup_.notify();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Housekeeping::run(const std::stop_token& stop) {
  Clock::time_point clean_at = Clock::now();
  bool storing = false;
  while (!stop.stop_requested()) {
    storing = try_to([this] { store_events(); });
    // Not before the link has found the tables, and that they are of a version that it knows.
    if (events_.is_loaded() && Clock::now() >= clean_at) {
      const bool cleaned = try_to([&] { clean(stop); });
      clean_at = Clock::now() + (cleaned ? kCleanInterval : kBeforeNextTry);
    }
    rest(storing ? kInterval : kBeforeNextTry);
  }
  // What the end of the link had to say; a target that is away is not waited for.
  if (storing) {
    try_to([this] { store_events(); });
  }
}

// Not before the link has found, or made, the tables.
void Housekeeping::store_events() {
  if (events_.has_unsaved()) {
    pg::Session target(target_);
    events_.store(target);
  }
}

void Housekeeping::clean(const std::stop_token& stop) {
  pg::Session target(target_);
  size_t removed = 0;
  size_t portion = 0;
  do {
    portion = target.exec_params(std::string(sql::kRemoveOldEvents), link_, opposite_name(link_))
                  .affected_rows();
    removed += portion;
    if (portion > 0) {
      rest(kBetweenPortions);
    }
  } while (portion > 0 && !stop.stop_requested());
  if (removed > 0) {
    spdlog::info("link \"{}\": {} old events removed", link_, removed);
  }
}

void Housekeeping::rest(std::chrono::milliseconds duration) {
  poll_socket(-1, false, wakeup_, static_cast<int>(duration.count()));
}

}  // namespace repld::link
