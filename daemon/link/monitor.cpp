#include "link/monitor.h"

#include <spdlog/spdlog.h>

#include "link/fence_gate.h"
#include "link/shapes.h"
#include "link/slot_blocker.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kIntervalMs = 1000;
// The stream stands still below the source's insert position this long before it is pushed: WAL
// that nobody flushed, or a position that is a page header, would look like lag for ever.
constexpr int kStuckSeconds = 3;
constexpr std::chrono::seconds kPushInterval{10};
constexpr std::chrono::seconds kPublicationInterval{20};
constexpr std::chrono::seconds kShapesInterval{10};
// Between two tries to connect after a refusal that only a person can end.
constexpr std::chrono::seconds kLastingPause{30};

}  // namespace

Monitor::Monitor(Shared& shared, std::function<void()> end_stream)
    : shared_(shared),
      end_stream_(std::move(end_stream)),
      sampled_at_(Clock::now()),
      pushed_at_(Clock::now() - kPushInterval) {}

void Monitor::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Monitor::stop() {
  thread_.request_stop();
  wakeup_.notify();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Monitor::mark(MarkReply reply) {
  marks_.with([&](std::vector<MarkReply>& marks) { marks.push_back(std::move(reply)); });
  wakeup_.notify();
}

void Monitor::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wakeup_.drain();
    // Before the next sample: what was written this very moment is no lag yet.
    publish_lag();
    bool reachable = false;
    try {
      const bool unarmed = shared_.status.copy().state == LinkState::stopped;
      if (unarmed && is_reverse(shared_.name())) {
        source_.reset();
      } else if (!resting()) {
        look();
        reachable = true;
      }
    } catch (const Error& error) {
      source_.reset();
      connect_after_ = error.lasting() ? Clock::now() + kLastingPause : Clock::now();
      spdlog::debug("monitor: {}", error.what());
      if (shared_.flow.copy() != nullptr && pg::refuses_sessions(shared_.settings.source)) {
        end_stream_();
      }
    }
    shared_.status.with([&](LinkStatus& status) { status.source_up = reachable; });
    answer_marks(reachable);
    poll_socket(-1, false, wakeup_, kIntervalMs);
  }
  answer_marks(false);
}

// After a refusal that only a person can end, until the link itself is let in again.
bool Monitor::resting() const {
  const LinkState state = shared_.status.copy().state;
  const bool let_in = state == LinkState::setting_up || state == LinkState::copying ||
                      state == LinkState::streaming;
  return !let_in && Clock::now() < connect_after_;
}

void Monitor::look() {
  if (!source_) {
    source_ = std::make_unique<pg::Session>(shared_.settings.source);
  }
  sample();
  watch_slot();
  watch_publication();
  watch_proofs();
  push_along();
}

void Monitor::sample() {
  const auto row = source_->exec(
      "select pg_current_wal_insert_lsn(), (extract(epoch from clock_timestamp()) * 1e6)::bigint, "
      "pg_current_snapshot()")[0];
  lag_.sample(parse_lsn(row[0].c_str()), row[1].as<int64_t>());
  if (const auto gate = shared_.gated.copy().gate) {
    gate->seen(SourceSnapshot::parse(row[2].c_str()));
  }
  sampled_at_ = Clock::now();
}

int64_t Monitor::source_now_us() const {
  const auto since =
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - sampled_at_);
  return lag_.newest_us() + since.count();
}

void Monitor::watch_slot() {
  const auto slot = stream::read_slot(*source_, shared_.slot_name());
  shared_.status.with([&](LinkStatus& status) {
    status.slot = {};
    status.slot.name = shared_.slot_name();
    status.slot.exists = slot.has_value();
    if (slot) {
      status.slot.active = slot->active;
      status.slot.wal_status = slot->wal_status;
      status.slot.safe_bytes = slot->safe_bytes;
      status.slot.retained_bytes = slot->retained_bytes;
    }
  });
  watch_slot_creation(slot && slot->confirmed == Lsn::invalid);
}

void Monitor::watch_slot_creation(bool waiting) {
  const bool setting_up = shared_.status.copy().state == LinkState::setting_up;
  const auto blocker = waiting && setting_up ? slot_blocker(*source_) : std::nullopt;
  if (!blocker && told_blocker_.empty()) {
    return;
  }
  if (blocker && blocker->hint != told_blocker_) {
    shared_.events.record("waiting",
                          blocker->message + "; " + blocker->detail + " HINT: " + blocker->hint);
  }
  told_blocker_ = blocker ? blocker->hint : "";
  shared_.status.with([&](LinkStatus& status) {
    if (blocker && status.state == LinkState::setting_up) {
      status.error = blocker;
    } else if (status.error && status.error->kind == "waiting") {
      status.error.reset();
    }
  });
}

void Monitor::watch_publication() {
  const bool due = Clock::now() - publication_seen_at_ >= kPublicationInterval;
  if (!due || shared_.flow.copy() == nullptr) {
    return;
  }
  publication_seen_at_ = Clock::now();
  const PublicationCheck check = shared_.publication_check.copy();
  if (check && check(*source_)) {
    end_stream_();
  }
}

void Monitor::watch_proofs() {
  if (Clock::now() - shapes_seen_at_ < kShapesInterval) {
    return;
  }
  shapes_seen_at_ = Clock::now();
  if (watch_shapes(shared_, *source_)) {
    shared_.hooks.overtaken();
  }
}

void Monitor::publish_lag() {
  Lsn reached = Lsn::invalid;
  int64_t commit_us = 0;
  const FlowPtr flow = shared_.flow.copy();
  if (flow) {
    flow->with([&](Flow& value) {
      reached = value.caught_up;
      commit_us = value.durable_commit_us;
    });
  }
  shared_.status.with([&](LinkStatus& status) {
    if (flow) {
      show_positions(flow->copy().progress, status);
    } else {
      reached = status.durable;
    }
    status.source = lag_.newest();
    // Before the first look at the progress row it is unknown how much is missing.
    const bool known = reached != Lsn::invalid;
    status.lag_bytes = known ? static_cast<int64_t>(bytes_between(reached, lag_.newest())) : 0;
    status.lag_seconds = lag_.seconds(reached, source_now_us(), commit_us);
  });
}

void Monitor::push_along() {
  const FlowPtr flow = shared_.flow.copy();
  if (!flow) {
    stuck_seconds_ = 0;
    return;
  }
  const Lsn received = flow->with([](Flow& value) { return value.progress.received(); });
  const bool stuck = received == last_received_ && received < lag_.newest();
  last_received_ = received;
  stuck_seconds_ = stuck ? stuck_seconds_ + 1 : 0;
  if (stuck_seconds_ >= kStuckSeconds && Clock::now() - pushed_at_ >= kPushInterval) {
    pushed_at_ = Clock::now();
    write_marker(":heartbeat");
  }
}

// Returns a position that everything committed before lies below; the marker's own commit, flushed
// at once and not waiting for standbys, makes the stream pass it.
Lsn Monitor::write_marker(const char* content) {
  return source_->transact([&](pqxx::transaction_base& transaction) {
    transaction.exec("set local synchronous_commit = local");
    const std::string lsn = transaction.exec("select pg_current_wal_insert_lsn()")[0][0].c_str();
    transaction.exec_params("select pg_logical_emit_message(true, 'repld', $1)", content);
    return parse_lsn(lsn);
  });
}

void Monitor::answer_marks(bool reachable) {
  const auto marks =
      marks_.with([](std::vector<MarkReply>& value) { return std::exchange(value, {}); });
  if (marks.empty()) {
    return;
  }
  std::optional<Lsn> lsn;
  if (reachable) {
    try {
      lsn = write_marker(":mark");
    } catch (const Error& error) {
      source_.reset();
      spdlog::debug("monitor: {}", error.what());
    }
  }
  for (const MarkReply& reply : marks) {
    reply(lsn);
  }
}

}  // namespace repld::link
