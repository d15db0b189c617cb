#include "sim/world.h"

#include <algorithm>

namespace repld::sim {

namespace {

constexpr uint64_t kStepsMax = 300'000;
constexpr uint64_t kSilenceUs = 20'000'000;  // of a connection that only looks alive

}  // namespace

// What lives as long as one pair of connections, and dies with the process.
struct World::Session {
  Session(World& world, Lsn from, bool overlap)
      : queue(world.scenario_.queue_bytes, reader_wakeup, apply_wakeup),
        flow(from),
        stream(world.source_, from, overlap),
        reader(stream, from, world.scenario_.reader, queue, flow, apply_wakeup),
        port(world, world.target_),
        applier(
            port, from, {world.scenario_.batch, world.scenario_.strictness},
            [&world] { return world.next_part(); }, flow, apply_wakeup, reader_wakeup,
            world.observer()) {
    world.gate_ = std::make_shared<link::FenceGate>([this, &world] { return world.pop(queue); },
                                                    flow, apply_wakeup, world.source_.fresh_xid(),
                                                    world.scenario_.kept_bytes_max);
  }

  Wakeup apply_wakeup;
  Wakeup reader_wakeup;
  BoundedQueue<TransactionPart> queue;
  Synchronized<Flow> flow;
  SourceStream stream;
  SimReader reader;
  SimPort port;
  apply::Applier applier;
  std::stop_source end;
  bool source_gone = false;
  bool target_gone = false;
  int64_t noticed_at_us = 0;  // that it is gone
  bool excused = false;       // it may end with Error(connect)
  bool refused = false;       // a change may be refused once, and again when it is replayed
  apply::Drift reported;
  int64_t transactions = 0;  // reported as applied
  int64_t rows = 0;
};

World::World(const Scenario& scenario, Trace trace)
    : scenario_(scenario),
      trace_(std::move(trace)),
      random_(seed_of(scenario.seed + scenario.schedule, 100)),
      source_(scenario.seed, scenario.source),
      target_(seed_of(scenario.seed + scenario.schedule, 200), source_.insert_lsn(),
              [this](TargetCommit& commit) { on_commit(commit); }),
      fences_left_(scenario.fences) {}

void World::run() {
  while (!finished()) {
    run_session();
  }
}

bool World::finished() const { return arrived() && fences_left_ == 0 && !fence_; }

bool World::arrived() const {
  return source_.exhausted() && next_fault_ == scenario_.faults.size() && drift_due_.empty() &&
         target_.current().refetch.empty() && level();
}

bool World::level() const {
  const Lsn end = source_.history().empty() ? Lsn::invalid : source_.history().back().end_lsn;
  return target_.flushed().progress >= end && source_.confirmed() >= end;
}

void World::run_session() {
  step(Pace::waiting);
  const Lsn from = target_.claim();
  if (repair_) {
    repair_ = false;
    const size_t next = source_.count_until(from);
    if (next < source_.history().size()) {
      for (const std::string& value : source_.history()[next].poison) {
        target_.allow(value);
      }
    }
    target_.edit([this](TargetState& state) { repair_drift(source_, state); });
    note("an operator mends the target");
  }
  if (source_.confirmed() > from) {
    throw Broken(fmt::format("the slot is lost: it confirmed {}, the target is at {}",
                             to_string(source_.confirmed()), to_string(from)));
  }
  note("a session begins at {}", to_string(from));
  Session session(*this, from, random_.chance(30));
  session_ = &session;
  try {
    session.applier.run(session.end.get_token());
    end_well(session, source_.count_until(from));
  } catch (const DaemonKilled&) {
    fence_.reset();
    gate_.reset();
    session_ = nullptr;
    return;
  } catch (const Error& error) {
    judge(error, session);
  }
  gate_->end();
  gate_.reset();
  // The reader goes last.
  if (!session.source_gone) {
    tell_slot(session.reader.last_feedback(now_us_ / 1000));
  }
  session_ = nullptr;
}

void World::judge(const Error& error, const Session& session) {
  note("the session ends: {} {}", to_string(error.kind()), error.what());
  // A statement of our own that the simulation had refused is the fault of no transaction.
  const bool ours =
      session.refused && error.detail().find("source transaction") == std::string::npos;
  if (error.kind() != ErrorKind::connect && !ours) {
    const size_t next = source_.count_until(target_.current().progress);
    const uint32_t xid = next < source_.history().size() ? source_.history()[next].xid : 0;
    if (error.detail().find(fmt::format("source transaction {},", xid)) == std::string::npos) {
      throw Broken(fmt::format("{} is next, but the report says: {}", xid, error.detail()));
    }
  }
  const bool connect = error.kind() == ErrorKind::connect && (session.excused || session.refused);
  const bool refusal = error.kind() == ErrorKind::conflict || error.kind() == ErrorKind::internal;
  const bool conflict = refusal && (session.refused || may_be_refused(source_, target_.current()));
  if (!connect && !conflict) {
    throw Broken(fmt::format("the applier gave up without cause: {} error, {} ({})",
                             to_string(error.kind()), error.what(), error.detail()));
  }
  repair_ = conflict;
}

void World::end_well(const Session& session, size_t first) {
  note("the session ends");
  const size_t end = source_.count_until(target_.current().progress);
  int64_t rows = 0;
  for (size_t i = first; i < end; ++i) {
    rows += source_.history()[i].rows;
  }
  if (!session.target_gone &&
      (session.transactions != static_cast<int64_t>(end - first) || session.rows != rows)) {
    throw Broken(fmt::format("{} transactions of {} rows were reported, {} of {} applied",
                             session.transactions, session.rows, end - first, rows));
  }
  const apply::Drift& seen = session.port.seen_drift();
  if (scenario_.strictness == Strictness::exact &&
      (seen.missing != session.reported.missing ||
       seen.unexpected != session.reported.unexpected)) {
    throw Broken(fmt::format("{} missing and {} unexpected rows were mended, {} and {} reported",
                             seen.missing, seen.unexpected, session.reported.missing,
                             session.reported.unexpected));
  }
}

apply::ApplyObserver World::observer() {
  apply::ApplyObserver observer;
  observer.applied = [this](const apply::AppliedBatch& batch) {
    session_->transactions += batch.transactions;
    for (const apply::AppliedRows& rows : batch.rows) {
      session_->rows += rows.inserted + rows.updated + rows.deleted;
    }
  };
  observer.drifted = [this](const TableName& table, const apply::Drift& drift) {
    note("drift mended in {}: {} missing, {} unexpected", table.name, drift.missing,
         drift.unexpected);
    session_->reported.missing += drift.missing;
    session_->reported.unexpected += drift.unexpected;
  };
  observer.mended = [] {};
  return observer;
}

void World::step(Pace pace) {
  const bool busy = pace == Pace::busy;
  target_.execute(random_.below(scenario_.execute_max + 1) + (busy ? 0 : 1));
  const bool silent = session_ != nullptr && session_->target_gone;
  advance(static_cast<int64_t>(random_.below(busy ? 300 : silent ? 200'000 : 5000)));
}

std::optional<TransactionPart> World::next_part() {
  std::optional<TransactionPart> part = gate_->next();
  step(Pace::busy);
  return part;
}

// The stream thread may put something into the queue at any moment, also right after it was found
// empty. Other threads wait for the gate meanwhile.
std::optional<TransactionPart> World::pop(BoundedQueue<TransactionPart>& queue) {
  std::optional<TransactionPart> part = queue.try_pop();
  read_some();
  return part;
}

void World::read_some() {
  for (uint64_t left = random_.below(scenario_.read_max + 1); left > 0; --left) {
    session_->reader.read(random_);
  }
}

void World::wait(std::chrono::milliseconds timeout) {
  const uint64_t longest = static_cast<uint64_t>(timeout.count()) * 1000;
  uint64_t left = longest;
  while (left > 0) {
    const uint64_t us = std::min(left, 1 + random_.below(longest / 3));
    left -= us;
    target_.execute(random_.below(scenario_.execute_max + 1) + 1);
    advance(static_cast<int64_t>(us));
    if (std::exchange(woken_, false) || session_->end.stop_requested() || session_->target_gone ||
        !session_->queue.empty() || session_->port.owed() > 0) {
      return;
    }
  }
}

void World::advance(int64_t us) {
  if (++steps_ > kStepsMax) {
    throw Broken("it does not come to an end");
  }
  now_us_ += us;
  target_.note_time(now_us_);
  if (random_.chance(scenario_.commit_percent)) {
    commit_on_source();
  }
  source_.move_on(random_);
  if (random_.chance(scenario_.flush_percent)) {
    target_.flush(random_.below(101));
  }
  if (session_ != nullptr && !session_->source_gone) {
    read_some();
    if (const auto confirmed = session_->reader.feedback(now_us_ / 1000)) {
      tell_slot(*confirmed);
    }
  }
  look_at_source();
  move_fence();
  heal();
  strike();
  if (session_ != nullptr && finished()) {
    session_->end.request_stop();
  }
}

void World::commit_on_source() {
  if (random_.chance(10)) {
    source_.write_other(random_.below(500));
  }
  if (random_.chance(10)) {
    source_.persist_slot();
  }
  if (source_.commit_next(random_)) {
    const SourceTransaction& made = source_.history().back();
    note("source commits {} at {}, ending at {}", made.xid, to_string(made.commit_lsn),
         to_string(made.end_lsn));
    for (const std::string& shown : made.shown) {
      note("    {}", shown);
    }
  }
}

void World::tell_slot(Lsn confirmed) {
  const TargetState& durable = target_.flushed();
  if (confirmed > durable.progress) {
    throw Broken(fmt::format("{} is confirmed to the slot, but the target has only {} durably",
                             to_string(confirmed), to_string(durable.progress)));
  }
  if (!session_->target_gone) {
    const Flow flow = session_->flow.copy();
    if (flow.progress.durable() > durable.progress ||
        source_.count_until(flow.caught_up) > source_.count_until(durable.progress)) {
      throw Broken(fmt::format("{} is taken for durable, {} for caught up; the target has {}",
                               to_string(flow.progress.durable()), to_string(flow.caught_up),
                               to_string(durable.progress)));
    }
  }
  if (!session_->target_gone &&
      session_->flow.copy().durable_commit_us > source_.commit_time_us(durable.progress)) {
    throw Broken("the newest durable transaction is said to be younger than it is");
  }
  if (confirmed > source_.confirmed()) {
    note("the slot is told {}", to_string(confirmed));
  }
  source_.confirm(confirmed);
}

void World::on_commit(TargetCommit& commit) {
  if (commit.after.progress != commit.before.progress) {
    note("the target commits {}", to_string(commit.after.progress));
  }
  check_commit(source_, commit);
}

bool World::target_gone() const { return session_->target_gone; }

void World::require_target() {
  if (session_->target_gone && now_us_ >= session_->noticed_at_us) {
    throw Error(ErrorKind::connect, "the connection to the target is gone");
  }
}

void World::give_up_when_stopped() {
  if (session_->end.stop_requested() && random_.chance(2)) {
    session_->excused = true;
    throw Error(ErrorKind::connect, "stopped while the target was busy");
  }
}

void World::run_ddl(bool locked) {
  if (locked) {
    throw Broken("DDL waits for locks that the applier's own transaction holds");
  }
  session_->excused = true;  // a transaction in parts is begun again
}

void World::strike() {
  while (next_fault_ < scenario_.faults.size() && scenario_.faults[next_fault_].step <= steps_) {
    const FaultKind kind = scenario_.faults[next_fault_++].kind;
    note("-- {}", name_of(kind));
    strike(kind);
  }
  while (!drift_due_.empty() && !target_.holds_locks()) {
    const DriftKind kind = drift_due_.back();
    drift_due_.pop_back();
    drift(kind);
  }
}

void World::strike(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill_daemon:
      if (session_ != nullptr) {
        throw DaemonKilled{};
      }
      break;
    case FaultKind::stop_daemon:
      if (session_ != nullptr) {
        session_->end.request_stop();
      }
      break;
    case FaultKind::cut_target: break;
    case FaultKind::crash_target:
      ++outages_.target;
      target_.crash();
      break;
    case FaultKind::fail_over_target:
      ++outages_.target;
      target_.fail_over(now_us_ - scenario_.reader.confirm_margin_ms * 1000 + 2000);
      break;
    case FaultKind::restart_source:
      ++outages_.source;
      source_.restart();
      break;
    case FaultKind::cut_source: break;
    case FaultKind::deadlock: target_.fail_next_statement("40P01"); break;
    case FaultKind::refusal: target_.fail_next_statement("23505"); break;
    case FaultKind::flush_fails: target_.fail_next_flush(); break;
    case FaultKind::lose_row: drift_due_.push_back(DriftKind::missing); break;
    case FaultKind::add_row: drift_due_.push_back(DriftKind::unexpected); break;
  }
  if (session_ == nullptr) {
    return;
  }
  session_->excused =
      session_->excused || kind == FaultKind::deadlock || kind == FaultKind::flush_fails;
  session_->refused = session_->refused || kind == FaultKind::refusal;
  if (kind == FaultKind::cut_target || kind == FaultKind::crash_target ||
      kind == FaultKind::fail_over_target) {
    session_->target_gone = session_->excused = true;
    session_->noticed_at_us = now_us_;
    if (kind == FaultKind::fail_over_target && random_.chance(50)) {
      session_->noticed_at_us += static_cast<int64_t>(random_.below(kSilenceUs));
    }
  }
  if (kind == FaultKind::cut_source || kind == FaultKind::restart_source) {
    session_->source_gone = true;
    session_->end.request_stop();
  }
}

void World::drift(DriftKind kind) {
  target_.edit(
      [&](TargetState& state) { note("drift: {}", inject_drift(source_, kind, random_, state)); });
}

std::optional<std::string> run(const Scenario& scenario, const Trace& trace) {
  try {
    World(scenario, trace).run();
  } catch (const std::exception& broken) {
    return broken.what();
  }
  return std::nullopt;
}

}  // namespace repld::sim
