// How the way back comes to run: armed by a cutover, or found armed by a daemon that starts.
#include <spdlog/spdlog.h>

#include "base/pause.h"
#include "link/link.h"
#include "link/readiness.h"

namespace repld::link {

namespace {

constexpr int64_t kLookAgainMs = 2000;
constexpr std::chrono::milliseconds kArmingPause{20};

}  // namespace

void Link::arm(std::chrono::milliseconds within, const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + within;
  if (is_resting() && is_reverse(shared_.name())) {
    // Before anything is left on the other side.
    if (const auto reason = cannot_reverse(shared_.settings)) {
      throw Error(*reason);
    }
  }
  const uint64_t asked = shared_.arming.with([](Awaited& value) { return ++value.asked; });
  const bool woken = order_.with([](Order& order) {
    ++order.number;
    const bool resting = order.wish == Wish::find || order.wish == Wish::rest;
    if (resting) {
      order.wish = Wish::run;
    }
    return resting;
  });
  shared_.status.with([](LinkStatus& status) { status.error.reset(); });
  end_attempt();
  while (shared_.arming.copy().done < asked) {
    const LinkStatus seen = shared_.status.copy();
    const bool late = std::chrono::steady_clock::now() >= until || stop.stop_requested();
    const bool stopped = seen.state == LinkState::paused || seen.state == LinkState::slot_lost;
    if (!late && !(stopped && seen.error)) {
      repld::pause(kArmingPause, stop);
      continue;
    }
    Error error(ErrorKind::refused, fmt::format("link {} does not stream", shared_.name()));
    if (seen.error) {
      error.detail("{}{}{}", seen.error->message, seen.error->detail.empty() ? "" : "; ",
                   seen.error->detail);
      error.hint("{}", seen.error->hint);
    } else {
      error.detail("it is {}", to_string(seen.state));
    }
    if (woken) {
      look_again();
    }
    throw error;
  }
}

// Nobody may know of it: what was not set up rests again, what was goes on.
void Link::look_again() {
  order_.with([](Order& order) {
    if (order.wish == Wish::run) {
      ++order.number;
      order.wish = Wish::find;
    }
  });
  end_attempt();
}

bool Link::is_resting() const {
  const Wish wish = order_.copy().wish;
  return wish == Wish::find || wish == Wish::rest;
}

// The way back: it is taken up where it was armed.
void Link::find(const Order& order, const std::stop_token& stop) {
  bool armed = false;
  try {
    pg::Session target(shared_.settings.target);
    armed =
        !target.exec("select to_regclass('repld.progress')")[0][0].is_null() &&
        !target.exec_params("select from repld.progress where link = $1", shared_.name()).empty();
  } catch (const Error& error) {
    spdlog::debug("link \"{}\": not known yet whether it is armed: {}", shared_.name(),
                  error.what());
    wait(kLookAgainMs, order, stop);
    return;
  }
  order_.with([&](Order& newest) {
    if (newest.number == order.number) {
      newest.wish = armed ? Wish::run : Wish::rest;
    }
  });
}

}  // namespace repld::link
