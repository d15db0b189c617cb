#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>

namespace repld::sim {

namespace {

constexpr uint64_t kNoLimit = 1 << 30;

std::vector<FaultKind> fault_kinds(Theme theme) {
  using enum FaultKind;
  switch (theme) {
    case Theme::crashes:
      return {kill_daemon,      stop_daemon, cut_target,     crash_target,
              fail_over_target, cut_source,  restart_source, deadlock};
    case Theme::refusals: return {kill_daemon, cut_target, crash_target, refusal, flush_fails};
    case Theme::drift: return {lose_row, add_row, lose_row, add_row, kill_daemon, crash_target};
    case Theme::large: return {kill_daemon, stop_daemon, cut_target, crash_target, cut_source};
    case Theme::fences:
      return {kill_daemon,      stop_daemon,      cut_target, crash_target,  fail_over_target,
              fail_over_target, fail_over_target, cut_source, restart_source};
    case Theme::everything:
      return {kill_daemon,    stop_daemon, cut_target, crash_target, fail_over_target, cut_source,
              restart_source, deadlock,    refusal,    flush_fails,  lose_row,         add_row};
  }
  return {};
}

template <typename List>
uint64_t pick(Random& random, const List& list) {
  return random.pick(list);
}

// Ids that are about to wrap, once, and once more.
const std::vector<uint64_t> kFirstXids = {700, 4'294'967'280, 4'294'967'200, 38'654'705'660};

void add_concurrency(Random& random, SourceOptions& source) {
  source.first_xid = random.pick(kFirstXids);
  source.begin_percent = pick(random, std::vector<uint64_t>{0, 5, 30});
  source.standby_percent = pick(random, std::vector<uint64_t>{0, 10, 40});
  source.show_percent = pick(random, std::vector<uint64_t>{5, 20, 50});
  source.flush_percent = pick(random, std::vector<uint64_t>{10, 50, 100});
}

}  // namespace

const char* name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill_daemon: return "the daemon is killed";
    case FaultKind::stop_daemon: return "the daemon is stopped";
    case FaultKind::cut_target: return "the connection to the target is cut";
    case FaultKind::crash_target: return "the target crashes";
    case FaultKind::fail_over_target: return "the target fails over";
    case FaultKind::cut_source: return "the connection to the source is cut";
    case FaultKind::restart_source: return "the source restarts";
    case FaultKind::deadlock: return "the next statement meets a deadlock";
    case FaultKind::refusal: return "the next statement is refused";
    case FaultKind::flush_fails: return "the next flush fails";
    case FaultKind::lose_row: return "a row of the target is lost";
    case FaultKind::add_row: return "a row is added to the target";
  }
  return "";
}

Scenario scenario_of(uint64_t seed, Theme theme) {
  Random random(seed_of(seed, 1 + static_cast<uint64_t>(theme)));
  Scenario scenario;
  scenario.seed = seed;
  scenario.source.transactions = 3 + random.below(28);
  scenario.source.changes_max = kNoLimit;
  const bool large = theme == Theme::large ||
                     ((theme == Theme::fences || theme == Theme::everything) && random.chance(40));
  scenario.source.large_percent = large ? 30 : random.chance(20) ? 5 : 0;
  const bool poison = theme == Theme::refusals || (theme == Theme::everything && random.chance(30));
  scenario.source.poison_percent = poison ? 12 : 0;
  scenario.batch.rows_max = pick(random, std::vector<uint64_t>{1, 5, 20, 100, 1000});
  scenario.batch.bytes_max = pick(random, std::vector<uint64_t>{2000, 20'000, kNoLimit});
  scenario.reader.part_bytes_max =
      large ? pick(random, std::vector<uint64_t>{600, 1500, 4000}) : kNoLimit;
  scenario.reader.confirm_margin_ms =
      static_cast<int64_t>(pick(random, std::vector<uint64_t>{0, 0, 300, 3000}));
  if (theme == Theme::fences) {
    scenario.reader.confirm_margin_ms = static_cast<int64_t>(random.below(5000));
  }
  scenario.reader.feedback_interval_ms = static_cast<int64_t>(50 + random.below(950));
  scenario.queue_bytes = pick(random, std::vector<uint64_t>{1000, 10'000, kNoLimit});
  scenario.strictness =
      theme != Theme::drift && random.chance(10) ? Strictness::mending : Strictness::exact;
  scenario.commit_percent = pick(random, std::vector<uint64_t>{2, 10, 50});
  scenario.read_max = pick(random, std::vector<uint64_t>{1, 4, 30});
  scenario.execute_max = pick(random, std::vector<uint64_t>{1, 5, 50});
  scenario.flush_percent = pick(random, std::vector<uint64_t>{1, 10, 50});
  if (theme == Theme::fences || (theme == Theme::everything && random.chance(50))) {
    add_concurrency(random, scenario.source);
    scenario.source.transactions += random.below(20);
    scenario.commit_percent = pick(random, std::vector<uint64_t>{3, 6, 15, 60});
    scenario.fences = 2 + random.below(6);
    scenario.fence_percent = pick(random, std::vector<uint64_t>{1, 2, 30});
    scenario.kept_bytes_max = pick(random, std::vector<uint64_t>{500, 5000, kNoLimit});
  }
  const std::vector<FaultKind> kinds = fault_kinds(theme);
  const uint64_t steps = scenario.source.transactions * pick(random, std::vector<uint64_t>{8, 40});
  for (uint64_t left = random.below(8); left > 0; --left) {
    scenario.faults.push_back({random.below(steps), random.pick(kinds)});
  }
  std::sort(scenario.faults.begin(), scenario.faults.end(),
            [](const Fault& a, const Fault& b) { return a.step < b.step; });
  return scenario;
}

std::string show(const Scenario& scenario) {
  std::string shown = fmt::format(
      "seed {}: {} transactions ({} left out), at most {} changes each; batches of {} rows, {} "
      "bytes; parts of {} bytes; queue of {} bytes; margin {} ms; feedback every {} ms; {}; {} "
      "fences\n",
      scenario.seed, scenario.source.transactions, scenario.source.left_out.size(),
      scenario.source.changes_max, scenario.batch.rows_max, scenario.batch.bytes_max,
      scenario.reader.part_bytes_max, scenario.queue_bytes, scenario.reader.confirm_margin_ms,
      scenario.reader.feedback_interval_ms,
      scenario.strictness == Strictness::exact ? "exact" : "mending", scenario.fences);
  for (const Fault& fault : scenario.faults) {
    shown += fmt::format("  at step {}: {}\n", fault.step, name_of(fault.kind));
  }
  return shown;
}

}  // namespace repld::sim
