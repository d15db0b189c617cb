// Which seeds a case runs.
//
//   REPLD_SIM_SEEDS=1000000  so many in all, divided among the cases; 10,000 without it
//   REPLD_SIM_SEED=42        this one only, with all that happened in it
#pragma once

#include <cstdint>

#include "sim/scenario.h"

namespace repld::sim {

// For the last words of a process that an assertion ends.
extern uint64_t seed_at_work;
extern uint64_t runs;  // of this process

// Runs one case's share of the seeds; fails the running test case with the smallest scenario that
// was found to break a promise.
void run_seeds(Theme theme);

}  // namespace repld::sim
