#include "link/link.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <utility>

#include "link/finalize.h"
#include "link/session.h"

namespace repld::link {

namespace {

constexpr int64_t kBackoffMinMs = 200;
constexpr int64_t kBackoffMaxMs = 5000;
constexpr int64_t kLookAgainMs = 5000;

// Full jitter on the upper half, so that links that failed together do not return together.
int64_t jittered(int64_t milliseconds) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<int64_t>(milliseconds / 2, milliseconds)(random);
}

ErrorStatus describe(const Error& error) {
  ErrorStatus status;
  status.kind = to_string(error.kind());
  status.message = error.what();
  status.detail = error.detail();
  status.hint = error.hint();
  status.sqlstate = error.sqlstate();
  status.table = error.table();
  status.at =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return status;
}

std::string one_line(const Error& error) {
  std::string line = error.what();
  if (!error.detail().empty()) {
    line += "; " + error.detail();
  }
  if (!error.hint().empty()) {
    line += " HINT: " + error.hint();
  }
  return line;
}

}  // namespace

Link::Link(Settings settings, Hooks hooks)
    : shared_(std::move(settings), std::move(hooks)),
      monitor_(shared_,
               [this] { attempt_.with([](std::stop_source& source) { source.request_stop(); }); }),
      wish_(Wish::run) {
  shared_.status.with([&](LinkStatus& status) { status.name = shared_.name(); });
}

Link::~Link() { stop(); }

LinkStatus Link::status() const {
  LinkStatus status = shared_.status.copy();
  if (const FlowPtr flow = shared_.flow.copy()) {
    show_positions(flow->copy().progress, status);
  }
  return status;
}

void Link::start() {
  shared_.events.record("started", fmt::format("link {}", shared_.name()));
  monitor_.start();
  thread_ = std::jthread([this](const std::stop_token& stop) { supervise(stop); });
}

void Link::stop() {
  thread_.request_stop();
  end_attempt();
  if (thread_.joinable()) {
    thread_.join();
  }
  monitor_.stop();
}

void Link::end_attempt() {
  attempt_.with([](std::stop_source& source) { source.request_stop(); });
  wakeup_.notify();
}

void Link::pause() {
  wish_.with([](Wish& wish) { wish = Wish::pause; });
  shared_.status.with([](LinkStatus& status) { status.paused_by_operator = true; });
  end_attempt();
}

void Link::resume() {
  wish_.with([](Wish& wish) { wish = Wish::run; });
  shared_.status.with([](LinkStatus& status) { status.paused_by_operator = false; });
  end_attempt();
}

void Link::finalize(FinalizeReply reply) {
  finalize_replies_.with([&](auto& replies) { replies.push_back(std::move(reply)); });
  wish_.with([](Wish& wish) { wish = Wish::finalize; });
  end_attempt();
}

void Link::supervise(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    switch (wish_.copy()) {
      case Wish::run: attempt(stop); break;
      case Wish::pause: rest_paused(stop); break;
      case Wish::finalize: finalize_now(stop); break;
      case Wish::rest:
        shared_.set_state(LinkState::stopped);
        wait(-1, stop);
        break;
    }
  }
  shared_.set_state(LinkState::stopped);
}

void Link::rest_paused(const std::stop_token& stop) {
  store_pause(true);
  shared_.set_state(LinkState::paused);
  shared_.events.record("paused", "by the operator");
  wait(-1, stop);
  if (!stop.stop_requested()) {
    shared_.events.record("resumed", "by the operator");
    store_pause(false);
  }
}

void Link::finalize_now(const std::stop_token& stop) {
  std::optional<ErrorStatus> failure;
  try {
    link::finalize(shared_, stop);
  } catch (const Error& error) {
    failure = describe(error);
  }
  wish_.with([](Wish& wish) { wish = Wish::rest; });
  for (const FinalizeReply& reply :
       finalize_replies_.with([](auto& replies) { return std::exchange(replies, {}); })) {
    reply(failure);
  }
}

// Runs one attempt and then waits as its end asks for.
void Link::attempt(const std::stop_token& stop) {
  try {
    run_session(stop);
    shared_.again = false;
  } catch (const Error& error) {
    shared_.again = true;
    if (stop.stop_requested() || wish_.copy() != Wish::run) {
      return;
    }
    fail(error);
    const Reaction reaction = reaction_to(error.kind());
    if (reaction == Reaction::exit) {
      shared_.hooks.exit(exit_code_of(error.kind()));
      wait(-1, stop);
    } else if (reaction == Reaction::retry) {
      backoff_ms_ = std::clamp(backoff_ms_ * 2, kBackoffMinMs, kBackoffMaxMs);
      wait(jittered(backoff_ms_), stop);
    } else {
      // What was refused may have been mended meanwhile; the rest waits for replctl resume.
      wait(error.kind() == ErrorKind::refused ? kLookAgainMs : -1, stop);
    }
  }
}

void Link::run_session(const std::stop_token& stop) {
  std::stop_source end;
  attempt_.with([&](std::stop_source& source) { source = end; });
  if (stop.stop_requested() || wish_.copy() != Wish::run) {
    return;
  }
  const std::stop_callback wake(end.get_token(), [this] { wakeup_.notify(); });
  LinkSession session(shared_, wakeup_, end.get_token());
  try {
    session.run();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& failure) {
    throw Error(ErrorKind::internal, failure.what());
  }
  if (session.found_paused()) {
    pause();
  }
  backoff_ms_ = 0;
}

void Link::fail(const Error& error) {
  const std::string line = one_line(error);
  const bool lost = error.kind() == ErrorKind::slot_lost;
  const bool retried = reaction_to(error.kind()) == Reaction::retry;
  shared_.status.with([&](LinkStatus& status) {
    status.error = describe(error);
    status.state = lost ? LinkState::slot_lost : retried ? LinkState::retrying : LinkState::paused;
  });
  shared_.hooks.failed(error);
  if (line != last_failure_) {
    last_failure_ = line;
    shared_.events.record(lost ? "slot_lost" : retried ? "retrying" : "stopped", line);
  }
}

void Link::wait(int64_t milliseconds, const std::stop_token& stop) {
  const Wish wished = wish_.copy();
  std::stop_source end;
  attempt_.with([&](std::stop_source& source) { source = end; });
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (!stop.stop_requested() && !end.stop_requested() && wish_.copy() == wished) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    if (milliseconds >= 0 && left.count() <= 0) {
      return;
    }
    wakeup_.drain();
    if (end.stop_requested()) {
      return;
    }
    poll_socket(-1, false, wakeup_, milliseconds < 0 ? 1000 : static_cast<int>(left.count()));
  }
}

void Link::store_pause(bool paused) {
  try {
    pg::Session target(shared_.settings.target);
    target.exec_params("update repld.progress set paused = $2 where link = $1", shared_.name(),
                       paused);
    shared_.events.store(target);
  } catch (const Error& error) {
    spdlog::warn("link \"{}\": the pause is not stored on the target: {}", shared_.name(),
                 error.what());
  }
}

}  // namespace repld::link
