#include "verify/healer.h"

#include <algorithm>

#include "verify/refetch.h"

namespace repld::verify {

namespace {

constexpr std::chrono::seconds kBeforeNextTry{5};

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
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      const auto woken = [this] { return woken_; };
      if (again) {
        changed_.wait_for(lock, stop, kBeforeNextTry, woken);
      } else {
        changed_.wait(lock, stop, woken);
      }
      woken_ = false;
    }
    again = !stop.stop_requested() && !heal(stop);
  }
}

bool Healer::heal(const std::stop_token& stop) {
  std::string failure;
  try {
    const uint64_t awaited = link_.healing_awaited();
    for (const MendedTable& table : refetch(link_, stop)) {
      link_.record("refetched",
                   fmt::format("{}: {} rows that were missing are brought from the source",
                               table.table.full(), table.written));
    }
    link_.healed(awaited);
  } catch (const Error& error) {
    failure = fmt::format("rows that are missing are not brought yet: {}; {}", error.what(),
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
