#include "verify/healer.h"

#include <algorithm>

#include "verify/refetch.h"

namespace repld::verify {

namespace {

// Each try makes the target stand still for a moment.
constexpr std::chrono::seconds kBeforeNextTryMin{5};
constexpr std::chrono::seconds kBeforeNextTryMax{60};

}  // namespace

void Healer::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Healer::stop() {
  thread_.request_stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Healer::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void Healer::run(const std::stop_token& stop) {
  bool again = false;
  std::chrono::seconds before_next = kBeforeNextTryMin;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      const auto woken = [this] { return woken_; };
      if (again) {
        changed_.wait_for(lock, stop, before_next, woken);
      } else {
        changed_.wait(lock, stop, woken);
      }
      woken_ = false;
    }
    again = !stop.stop_requested() && !heal(stop);
    before_next = again ? std::min(2 * before_next, kBeforeNextTryMax) : kBeforeNextTryMin;
  }
}

bool Healer::heal(const std::stop_token& stop) {
  std::string failure;
  try {
    const uint64_t awaited = link_.healing_awaited();
    const Refetched refetched = refetch(link_, stop);
    for (const MendedTable& table : refetched.tables) {
      link_.record("refetched",
                   fmt::format("{}: {} rows that were missing are brought from the source",
                               table.table.full(), table.written));
    }
    if (refetched.failure) {
      throw Error(*refetched.failure);
    }
    link_.healed(awaited);
  } catch (const Error& error) {
    failure = fmt::format("rows that are missing are not brought yet{}{}: {}; {}",
                          error.table().empty() ? "" : ", of ", error.table(), error.what(),
                          error.detail());
  } catch (const std::exception& error) {
    failure = fmt::format("rows that are missing are not brought yet: {}", error.what());
  }
  if (!failure.empty() && failure != last_failure_ && !stop.stop_requested()) {
    link_.record("incomplete", failure);
  }
  last_failure_ = failure;
  return failure.empty();
}

}  // namespace repld::verify
