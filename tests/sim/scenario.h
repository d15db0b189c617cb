// What one run of the simulation is made of: all of it follows from the seed, and all of it can be
// made smaller when a run fails.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/apply_sql.h"
#include "core/batch.h"
#include "sim/fake_source.h"
#include "sim/sim_reader.h"

namespace repld::sim {

enum class FaultKind {
  kill_daemon,       // at once, between any two steps
  stop_daemon,       // as SIGTERM does
  cut_target,        // the connection; the server goes on with what it was sent
  crash_target,      // what was not flushed is gone
  fail_over_target,  // and of what was flushed, the last moments; noticed at once or later
  cut_source,
  restart_source,  // its slot goes back to what was on disk
  deadlock,        // the next statement of the target fails, as may happen to any
  refusal,         // the same, as a unique key would that somebody else's row stood in the way of
  flush_fails,     // the COMMIT of the next batch that only flushes
  lose_row,        // drift
  add_row,         // drift
};
const char* name_of(FaultKind kind);

struct Fault {
  uint64_t step = 0;
  FaultKind kind = FaultKind::kill_daemon;
};

struct Scenario {
  uint64_t seed = 0;
  uint64_t schedule = 0;  // the same transactions and faults in other interleavings
  SourceOptions source;
  BatchLimits batch;
  ReaderOptions reader;
  size_t queue_bytes = 0;
  Strictness strictness = Strictness::exact;
  uint64_t commit_percent = 0;  // of steps in which the source commits
  uint64_t read_max = 0;        // messages read in a step
  uint64_t execute_max = 0;     // commands that the target executes in a step
  uint64_t flush_percent = 0;   // of steps in which the target flushes some WAL
  std::vector<Fault> faults;    // in order
  size_t fences = 0;            // to be taken
  uint64_t fence_percent = 0;   // of steps in which one is begun
  size_t kept_bytes_max = 0;    // by the gate
};

// What a case looks at.
enum class Theme { crashes, refusals, drift, large, fences, everything };

Scenario scenario_of(uint64_t seed, Theme theme);
std::string show(const Scenario& scenario);

// Is told what happens, line by line.
using Trace = std::function<void(const std::string& line)>;

// What was broken, if anything.
std::optional<std::string> run(const Scenario& scenario, const Trace& trace = {});

// A smaller scenario that fails too.
Scenario shrink(Scenario scenario);

}  // namespace repld::sim
