#include "link/link.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <utility>

#include "base/clock.h"
#include "base/failpoint.h"
#include "link/finalize.h"
#include "link/resync.h"
#include "link/session.h"
#include "pg/migrations.h"

namespace repld::link {

namespace {

constexpr int64_t kBackoffMinMs = 200;
constexpr int64_t kBackoffMaxMs = 5000;
constexpr int64_t kLookAgainMs = 5000;
constexpr int64_t kLastingMs = 30'000;

// Full jitter on the upper half, so that links that failed together do not return together.
int64_t jittered(int64_t milliseconds) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_int_distribution<int64_t>(milliseconds / 2, milliseconds)(random);
}

ErrorStatus describe(const Error& error) { return error_status(error, now_seconds()); }

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

Link::Link(Settings settings, Hooks hooks, Link* forward)
    : shared_(std::move(settings), std::move(hooks),
              forward == nullptr ? nullptr : &forward->shared_.events),
      monitor_(shared_,
               [this] { attempt_.with([](std::stop_source& source) { source.request_stop(); }); }),
      housekeeping_(shared_.settings.target, shared_.name(), shared_.events) {
  shared_.status.with([&](LinkStatus& status) { status.name = shared_.name(); });
  if (forward != nullptr) {
    order_.with([](Order& order) { order.wish = Wish::find; });
    shared_.set_state(LinkState::stopped);
  }
}

Link::~Link() { stop(); }

LinkStatus Link::status() const {
  LinkStatus status = shared_.status.copy();
  if (const FlowPtr flow = shared_.flow.copy()) {
    show_positions(flow->copy().progress, status);
  }
  status.incomplete = shared_.healing.copy().pending();
  status.copied = status.copied && !shared_.resyncs.copy().pending();
  return status;
}

void Link::start() {
  if (!is_reverse(shared_.name())) {
    shared_.events.record("started", fmt::format("link {}", shared_.name()));
    housekeeping_.start();
  }
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
  housekeeping_.stop();
}

std::stop_token Link::begin_attempt() {
  std::stop_source end;
  attempt_.with([&](std::stop_source& source) { source = end; });
  return end.get_token();
}

void Link::end_attempt() {
  attempt_.with([](std::stop_source& source) { source.request_stop(); });
  wakeup_.notify();
}

void Link::give(Wish wish, std::vector<Finalize> requests) {
  order_.with([&](Order& order) {
    order.wish = wish;
    ++order.number;
    order.given = true;
    std::move(requests.begin(), requests.end(), std::back_inserter(order.unanswered));
    shared_.status.with(
        [&](LinkStatus& status) { status.paused_by_operator = wish == Wish::pause; });
  });
  end_attempt();
}

void Link::pause() { give(Wish::pause, {}); }

void Link::resume() { give(Wish::run, {}); }

void Link::reload(const Config& config) {
  reloaded_.with([&](std::optional<Config>& reloaded) { reloaded = config; });
  const LinkState state = shared_.status.copy().state;
  if (state == LinkState::setting_up || state == LinkState::copying) {
    shared_.events.record("reload", "the first copy goes on as it began; reload again after it");
    return;
  }
  reroute();
}

void Link::reroute() {
  order_.with([](Order& order) { ++order.number; });
  end_attempt();
}

void Link::resync(const std::vector<std::string>& tables) {
  mark_for_resync(shared_, tables);
  reroute();
}

// Between two attempts, when nobody else reads what may change.
void Link::take_reloaded() {
  const auto reloaded =
      reloaded_.with([](std::optional<Config>& value) { return std::exchange(value, {}); });
  if (reloaded) {
    take_reloadable(*reloaded, shared_.settings.config);
  }
}

std::optional<ErrorStatus> Link::skip(Lsn transaction) {
  const LinkStatus status = shared_.status.copy();
  const Lsn stopped_at =
      status.state == LinkState::paused && status.error ? status.error->transaction : Lsn::invalid;
  if (stopped_at == Lsn::invalid || stopped_at != transaction) {
    Error error(ErrorKind::refused,
                fmt::format("the link has not stopped at transaction {}", to_string(transaction)));
    if (stopped_at == Lsn::invalid) {
      error.detail("no transaction of the source stops it");
    } else {
      error.detail("it has stopped at {}", to_string(stopped_at));
    }
    return describe(error);
  }
  shared_.skipped.with([&](Lsn& skipped) { skipped = transaction; });
  resume();
  return std::nullopt;
}

void Link::finalize(bool source_gone, FinalizeReply reply) {
  // A source that is copied afresh may be another one, with the same positions.
  shared_.skipped.with([](Lsn& skipped) { skipped = Lsn::invalid; });
  give(Wish::finalize, {{source_gone, std::move(reply)}});
}

void Link::supervise(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    answer_overtaken(false);
    const Order order = order_.copy();
    take_reloaded();
    switch (order.wish) {
      case Wish::find: find(order, stop); break;
      case Wish::run: attempt(order, stop); break;
      case Wish::pause: rest_paused(order, stop); break;
      case Wish::finalize: finalize_now(order, stop); break;
      case Wish::rest:
        shared_.set_state(LinkState::stopped);
        wait(-1, order, stop);
        break;
    }
  }
  answer_overtaken(true);
  shared_.set_state(LinkState::stopped);
}

void Link::rest_paused(const Order& order, const std::stop_token& stop) {
  store_pause(true);
  shared_.set_state(LinkState::paused);
  shared_.events.record("paused", "by the operator");
  Order newest = order;
  while (!stop.stop_requested() && newest.wish == Wish::pause) {
    wait(-1, newest, stop);
    newest = order_.copy();
  }
  if (!stop.stop_requested()) {
    shared_.events.record("resumed", "by the operator");
    store_pause(false);
  }
}

void Link::finalize_now(const Order& order, const std::stop_token& stop) {
  const std::stop_token end = begin_attempt();
  if (stop.stop_requested() || !is_newest(order)) {
    return;
  }
  const bool source_gone = std::any_of(order.unanswered.begin(), order.unanswered.end(),
                                       [](const Finalize& request) { return request.source_gone; });
  std::optional<ErrorStatus> failure;
  std::vector<std::string> left;
  try {
    left = link::finalize(shared_, source_gone, end);
  } catch (const Error& error) {
    if (end.stop_requested() && !stop.stop_requested() && order_.copy().wish == Wish::finalize) {
      return;  // it is asked for again, perhaps in another way
    }
    failure = describe(error);
  } catch (const std::exception& error) {
    failure = describe(Error(ErrorKind::internal, error.what()));
  }
  // Those that came while it ran are served by another run, or by none.
  const auto answered = order_.with([&](Order& newest) {
    if (newest.number == order.number) {
      newest.wish = Wish::rest;
    }
    const auto begin = newest.unanswered.begin();
    const auto served = begin + static_cast<ptrdiff_t>(order.unanswered.size());
    std::vector<Finalize> requests(begin, served);
    newest.unanswered.erase(begin, served);
    return requests;
  });
  for (const Finalize& request : answered) {
    request.reply(failure, left);
  }
}

// A request to finalize that another order came after.
void Link::answer_overtaken(bool stopping) {
  const auto overtaken = order_.with([&](Order& order) {
    return order.wish != Wish::finalize || stopping ? std::exchange(order.unanswered, {})
                                                    : std::vector<Finalize>();
  });
  ErrorStatus failure;
  failure.kind = to_string(ErrorKind::refused);
  failure.message = stopping ? "the daemon is stopping" : "another command came in between";
  failure.hint = "Run replctl finalize again.";
  for (const Finalize& request : overtaken) {
    request.reply(failure, {});
  }
}

// Runs one attempt and then waits as its end asks for.
void Link::attempt(const Order& order, const std::stop_token& stop) {
  try {
    run_session(order, stop);
    failpoint("link.session_ended");
    // Ended by the monitor and not by an order: what comes next is a connection made again.
    shared_.again = is_newest(order) && order_.copy().wish == Wish::run;
  } catch (const Error& error) {
    shared_.again = true;
    if (stop.stop_requested() || !is_newest(order)) {
      return;
    }
    fail(error);
    const Reaction reaction = reaction_to(error.kind());
    if (reaction == Reaction::exit) {
      shared_.hooks.exit(exit_code_of(error.kind()));
      wait(-1, order, stop);
    } else if (reaction == Reaction::retry) {
      backoff_ms_ = std::clamp(backoff_ms_ * 2, kBackoffMinMs, kBackoffMaxMs);
      wait(jittered(error.lasting() ? kLastingMs : backoff_ms_), order, stop);
    } else {
      // What was refused may have been mended meanwhile; the rest waits for replctl resume.
      wait(error.kind() == ErrorKind::refused ? kLookAgainMs : -1, order, stop);
    }
  }
}

void Link::run_session(const Order& order, const std::stop_token& stop) {
  const std::stop_token end = begin_attempt();
  if (stop.stop_requested() || !is_newest(order)) {
    return;
  }
  const std::stop_callback wake(end, [this] { wakeup_.notify(); });
  LinkSession session(shared_, wakeup_, end);
  try {
    session.run();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& failure) {
    throw Error(ErrorKind::internal, failure.what());
  }
  backoff_ms_ = 0;
  if (!session.found_paused()) {
    return;
  }
  if (order.given) {
    // The operator said to run, while the target could not be told.
    if (!store_pause(false)) {
      wait(kBackoffMinMs, order, stop);
    }
    return;
  }
  order_.with([&](Order& newest) {
    if (newest.number == order.number) {
      newest.wish = Wish::pause;
      shared_.status.with([](LinkStatus& status) { status.paused_by_operator = true; });
    }
  });
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

void Link::wait(int64_t milliseconds, const Order& order, const std::stop_token& stop) {
  const std::stop_token end = begin_attempt();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (!stop.stop_requested() && !end.stop_requested() && is_newest(order)) {
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

bool Link::store_pause(bool paused) {
  try {
    pg::Session target(shared_.settings.target);
    pg::require_not_newer(target);
    target.exec_params("update repld.progress set paused = $2 where link = $1", shared_.name(),
                       paused);
    shared_.events.store(target);
    return true;
  } catch (const Error& error) {
    spdlog::warn("link \"{}\": the pause is not stored on the target: {}", shared_.name(),
                 error.what());
    return false;
  }
}

}  // namespace repld::link
