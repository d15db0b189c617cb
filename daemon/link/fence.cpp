#include "link/fence.h"

#include <algorithm>
#include <random>

#include "base/failpoint.h"
#include "base/pause.h"

namespace repld::link {

namespace {

constexpr int kRetakePauseMinMs = 10;
constexpr int kRetakePauseMaxMs = 500;

Gated gated_of(Shared& shared) {
  Gated gated = shared.gated.copy();
  if (!gated.gate) {
    throw Error(ErrorKind::refused, "the link does not stream")
        .hint("See replctl status for the reason.");
  }
  return gated;
}

// With jitter, longer each time: what is in the way is in the middle of its COMMIT.
void pause_before_retake(int retakes, const std::stop_token& stop) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const int longest = std::min(kRetakePauseMinMs << std::min(retakes, 10), kRetakePauseMaxMs);
  pause(std::chrono::milliseconds(std::uniform_int_distribution<int>(longest / 2, longest)(random)),
        stop);
}

}  // namespace

uint32_t fresh_xid(pg::Session& source) {
  // 64 bits with the epoch; the stream has the lower half.
  const auto row = source.exec("select pg_current_xact_id()::text::numeric % 4294967296")[0];
  return row[0].as<uint32_t>();
}

FenceSessions::FenceSessions(const Settings& settings)
    : source(settings.source, pg::Purpose::control),
      marker(settings.source, pg::Purpose::control),
      target(settings.target, pg::Purpose::control) {
  marker.exec("set synchronous_commit = local");
  if (pg::text(source.exec("select pg_is_in_recovery()"), 0, 0) == "t") {
    throw Error(ErrorKind::refused, "a standby of the source cannot be fenced")
        .detail("its snapshots do not follow the order of its WAL")
        .hint("Let source.dsn name the primary.");
  }
}

Fence::Fence(Shared& shared, const FenceOptions& options, const std::stop_token& stop,
             std::unique_ptr<FenceSessions> sessions)
    : gated_(gated_of(shared)),
      sessions_(sessions ? std::move(sessions) : std::make_unique<FenceSessions>(shared.settings)),
      source_(sessions_->source),
      marker_(sessions_->marker),
      target_(sessions_->target) {
  const auto deadline = FenceGate::Clock::now() + options.give_up_after;
  while (!attempt(options, deadline, stop)) {
    source_.exec("rollback");
    if (FenceGate::Clock::now() >= deadline) {
      give_up(options);
    }
    pause_before_retake(retakes_++, stop);
  }
  if (!options.hold) {
    const auto row = target_.exec(
        "begin isolation level repeatable read read only; "
        "select pg_export_snapshot(), pg_current_snapshot()");
    target_snapshot_ = {pg::text(row, 0, 0), pg::text(row, 0, 1)};
    gated_.gate->require_standing();
    release();
  }
}

void Fence::release() {
  if (closed_) {
    closed_.reset();
    const std::chrono::duration<double> pause = FenceGate::Clock::now() - closed_at_;
    pause_seconds_ = std::max(pause_seconds_, pause.count());
  }
}

// The first statement that takes a snapshot, so that the position is read after it.
Fence::Sight Fence::look() {
  const auto row = source_.exec(
      "select pg_current_snapshot(), pg_current_wal_insert_lsn(), pg_export_snapshot()");
  source_snapshot_ = {pg::text(row, 0, 2), pg::text(row, 0, 0)};
  return {SourceSnapshot::parse(pg::text(row, 0, 0)), parse_lsn(pg::text(row, 0, 1))};
}

bool Fence::attempt(const FenceOptions& options, FenceGate::Clock::time_point deadline,
                    const std::stop_token& stop) {
  // One that would do no good is seen before anything is held up for it.
  const auto now = marker_.exec("select pg_current_snapshot()");
  in_the_way_ = gated_.gate->unseen(SourceSnapshot::parse(pg::text(now, 0, 0)));
  if (in_the_way_) {
    return false;
  }
  source_.exec("begin isolation level repeatable read read only");
  if (!gated_.gate->close(deadline, stop)) {
    throw Error(ErrorKind::refused, "another fence is held")
        .hint("A table that joins the link is copied under one: see replctl events. Try again.");
  }
  closed_.reset(gated_.gate.get());
  closed_at_ = FenceGate::Clock::now();
  const Sight sight = look();
  failpoint("fence.after_snapshot");
  // A stream that is busy passes the position without it, so its answer is not waited for.
  marker_.ask("select pg_logical_emit_message(true, 'repld', ':fence')");
  const auto judgement =
      gated_.gate->judge(sight.snapshot, sight.insert_lsn, closed_at_ + options.reach_within, stop);
  if (judgement.verdict == FenceGate::Verdict::reached) {
    return true;
  }
  in_the_way_ = judgement.in_the_way;
  release();
  marker_.answer();
  return false;
}

void Fence::give_up(const FenceOptions& options) const {
  Error error(ErrorKind::refused, "no fence could be taken");
  const auto seconds = options.give_up_after.count() / 1000;
  if (in_the_way_) {
    error.detail(
        "after {} s and {} tries: transaction {} of the source has committed, or may have before "
        "the link connected, and no snapshot shows it",
        seconds, retakes_ + 1, *in_the_way_);
    error.hint("It waits for a standby, or is open since then; see pg_stat_activity.backend_xid.");
  } else {
    error.detail("after {} s and {} tries the link had not caught up", seconds, retakes_ + 1);
    error.hint("Try again once replctl status shows no lag.");
  }
  throw error;
}

}  // namespace repld::link
