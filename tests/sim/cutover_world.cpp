#include "sim/cutover_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/checks.h"

namespace repld::sim {

namespace {

struct Crashed {};

constexpr int kCutovers = 4;
constexpr int kStepsMax = 4000;  // of one cutover; faults end half-way
constexpr int kTriesMax = 30;    // of one step; a session that is waited for ends long before
constexpr uint64_t kFailPercent = 4;
constexpr uint64_t kCrashPercent = 2;
constexpr uint64_t kLostPercent = 12;

}  // namespace

CutoverWorld::CutoverWorld(uint64_t seed, Trace trace) : random_(seed), trace_(std::move(trace)) {
  databases_[1].guarded = true;
}

void CutoverWorld::run() {
  for (int i = 0; i < kCutovers; ++i) {
    cut_over();
  }
}

void CutoverWorld::cut_over() {
  freezing_ = opening_ = {};
  databases_[0].journal = databases_[1].journal = JournalState::absent;
  faults_ = true;
  steps_ = 0;
  CutoverState state = CutoverState::checking;
  while (!is_over(state)) {
    try {
      daemon_ = true;
      state = live_on(state);
    } catch (const Crashed&) {
      say("the daemon dies");
      freezing_.abandoned = opening_.abandoned = true;
      daemon_ = false;
      state = find_where_to_go_on();
    }
  }
  daemon_ = false;
  freezing_.abandoned = opening_.abandoned = true;
  check_end();
}

CutoverState CutoverWorld::live_on(CutoverState first) {
  CutoverState state = first;
  int in_vain = 0;
  while (!is_over(state)) {
    say(to_string(state));
    const CutoverState before = std::exchange(state, advance(state, perform(state)));
    // A crash, after which the journals are asked, would hide that it is stuck.
    in_vain = state == before ? in_vain + 1 : 0;
    if (in_vain > kTriesMax) {
      throw Broken(fmt::format("{} is tried over and over", to_string(state)));
    }
    tick();
  }
  say(to_string(state));
  return state;
}

CutoverEvent CutoverWorld::perform(CutoverState state) {
  tick();
  if (faults_ && random_.chance(kFailPercent) && state != CutoverState::committing) {
    say("fails");
    return CutoverEvent::failed;
  }
  const auto event = [](bool done) { return done ? CutoverEvent::done : CutoverEvent::failed; };
  switch (state) {
    case CutoverState::checking:
    case CutoverState::arming: return CutoverEvent::done;
    case CutoverState::noting: return note();
    case CutoverState::quieting: freezing_ = {true, false, false, false}; return CutoverEvent::done;
    case CutoverState::freezing: freezing_.locked = freezing_.alive; return event(freezing_.alive);
    case CutoverState::draining: drained_ = to().rows = from().rows; return CutoverEvent::done;
    case CutoverState::proving: return event(to().rows == drained_);
    case CutoverState::preparing: opening_ = {true, false, false, false}; return CutoverEvent::done;
    case CutoverState::committing:
      return event(commit(freezing_, [this] { close_old(); }) == Answer::done);
    case CutoverState::settling: return settle();
    case CutoverState::opening: return open();
    case CutoverState::completing: return complete();
    case CutoverState::withdrawing: return withdraw();
    default: throw Broken("a step that is over is performed");
  }
}

CutoverEvent CutoverWorld::note() {
  to().journal = JournalState::begun;
  tick();
  from().journal = JournalState::begun;
  return CutoverEvent::done;
}

// `select .. for update`, which waits for the session that freezes.
CutoverEvent CutoverWorld::settle() {
  freezing_.abandoned = true;
  if (freezing_.alive) {
    return CutoverEvent::failed;
  }
  return from().journal == JournalState::committed ? CutoverEvent::found_committed
                                                   : CutoverEvent::found_uncommitted;
}

CutoverEvent CutoverWorld::open() {
  if (opening_.alive && !opening_.abandoned) {
    const Answer answer = commit(opening_, [this] { open_new(); });
    opening_.abandoned = true;
    return answer == Answer::done ? CutoverEvent::done : CutoverEvent::failed;
  }
  if (opening_.alive) {
    return CutoverEvent::failed;  // its row locks are waited for
  }
  open_new();
  return CutoverEvent::done;
}

CutoverEvent CutoverWorld::complete() {
  if (!set_journal(from(), freezing_, JournalState::committed, JournalState::done)) {
    return CutoverEvent::failed;
  }
  tick();
  return set_journal(to(), opening_, JournalState::committed, JournalState::done)
             ? CutoverEvent::done
             : CutoverEvent::failed;
}

CutoverEvent CutoverWorld::withdraw() {
  freezing_.abandoned = opening_.abandoned = true;
  const bool old_noted =
      set_journal(from(), freezing_, JournalState::begun, JournalState::withdrawn);
  tick();
  const bool new_noted = set_journal(to(), opening_, JournalState::begun, JournalState::withdrawn);
  return old_noted && new_noted ? CutoverEvent::done : CutoverEvent::failed;
}

// False while the row is locked. One that is not there has nothing to be changed; nor one that has
// been changed before.
bool CutoverWorld::set_journal(Database& database, const Session& lock, JournalState from,
                               JournalState to) {
  if (lock.alive) {
    return false;
  }
  if (database.journal == from) {
    database.journal = to;
  }
  return database.journal == to || database.journal == JournalState::absent;
}

CutoverState CutoverWorld::find_where_to_go_on() {
  while (freezing_.alive || opening_.alive) {
    tick();
  }
  return resume_from(from().journal, to().journal).value_or(CutoverState::withdrawn);
}

void CutoverWorld::tick() {
  if (++steps_ > kStepsMax) {
    throw Broken("it comes to no end");
  }
  faults_ = faults_ && steps_ < kStepsMax / 2;
  end_sessions();
  if (random_.chance(70)) {
    write_somewhere();
  }
  check_never_both();
  if (daemon_ && faults_ && random_.chance(kCrashPercent)) {
    throw Crashed();
  }
}

// A client is gone, or the freeze has lasted too long.
void CutoverWorld::end_sessions() {
  const auto end = [this](Session& session, const std::function<void()>& effect) {
    if (session.alive && session.commits && random_.chance(40)) {
      land(session, effect);
    } else if (session.alive &&
               ((session.abandoned && random_.chance(30)) || (faults_ && random_.chance(1)))) {
      say("a session ends");
      session = {};
    }
  };
  end(freezing_, [this] { close_old(); });
  end(opening_, [this] { open_new(); });
}

void CutoverWorld::write_somewhere() {
  const auto writable = [](const Database& database) { return !database.guarded; };
  const size_t where = random_.below(2);
  Database& database = databases_[where];
  const bool waits = where == at_ && freezing_.alive && freezing_.locked;
  if (writable(database) && !waits) {
    database.rows.insert(next_row_);
    acknowledged_.insert(next_row_++);
  }
}

CutoverWorld::Answer CutoverWorld::commit(Session& session, const std::function<void()>& effect) {
  if (!session.alive) {
    return Answer::refused;
  }
  session.commits = true;
  tick();
  if (faults_ && random_.chance(kLostPercent)) {
    say("the connection is lost amid COMMIT");
    session.abandoned = true;
    return Answer::lost;
  }
  if (session.alive) {
    land(session, effect);
    return Answer::done;
  }
  return Answer::lost;  // it has ended, one way or the other
}

void CutoverWorld::land(Session& session, const std::function<void()>& effect) {
  effect();
  session = {};
}

void CutoverWorld::close_old() {
  say("the old primary is closed");
  from().guarded = true;
  from().journal = JournalState::committed;
  ++from().generation;
}

void CutoverWorld::open_new() {
  say("the new primary is open");
  to().guarded = false;
  to().journal = JournalState::committed;
  to().generation = from().generation;
  if (!std::includes(to().rows.begin(), to().rows.end(), acknowledged_.begin(),
                     acknowledged_.end())) {
    throw Broken("the new primary is opened without rows that were acknowledged");
  }
}

void CutoverWorld::check_never_both() {
  if (!databases_[0].guarded && !databases_[1].guarded) {
    throw Broken("both sides can be written");
  }
}

void CutoverWorld::check_end() {
  faults_ = false;
  while (freezing_.alive || opening_.alive) {
    tick();
  }
  const bool moved = from().guarded;
  if (moved == to().guarded) {
    throw Broken(fmt::format("{} sides can be written at the end", moved ? "no" : "both"));
  }
  const auto over = [&](JournalState state) {
    return moved ? state == JournalState::done
                 : state == JournalState::withdrawn || state == JournalState::absent;
  };
  if (!over(from().journal) || !over(to().journal)) {
    throw Broken(fmt::format("the journals say {} and {} at the end", to_string(from().journal),
                             to_string(to().journal)));
  }
  if (moved != (from().generation == to().generation && from().generation > 0 &&
                to().journal == JournalState::done)) {
    throw Broken("the routes differ at the end");
  }
  at_ = moved ? 1 - at_ : at_;
}

}  // namespace repld::sim
