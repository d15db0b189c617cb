#include "sim/scenario.h"

namespace repld::sim {

namespace {

constexpr int kRounds = 6;
constexpr uint64_t kSchedules = 12;

// Fewer steps are the same faults earlier.
Scenario rescheduled(const Scenario& scenario, uint64_t schedule) {
  Scenario other = scenario;
  if (schedule > 0) {
    Random random(schedule);
    other.schedule = scenario.schedule * kSchedules + schedule;
    const uint64_t percent = schedule % 2 == 0 ? 100 : random.below(100);
    for (Fault& fault : other.faults) {
      fault.step = fault.step * percent / 100;
    }
  }
  return other;
}

// Takes `smaller` for `scenario` when it fails too, in whatever interleaving.
bool try_smaller(Scenario& scenario, const Scenario& smaller) {
  for (uint64_t schedule = 0; schedule < kSchedules; ++schedule) {
    const Scenario candidate = rescheduled(smaller, schedule);
    if (run(candidate)) {
      scenario = candidate;
      return true;
    }
  }
  return false;
}

bool cut_history(Scenario& scenario) {
  bool smaller = false;
  for (size_t step = scenario.source.transactions / 2; step > 0; step /= 2) {
    Scenario candidate = scenario;
    while (candidate.source.transactions > step) {
      candidate.source.transactions -= step;
      if (!try_smaller(scenario, candidate)) {
        break;
      }
      candidate = scenario;
      smaller = true;
    }
  }
  return smaller;
}

bool thin_history(Scenario& scenario) {
  bool smaller = false;
  for (size_t number = 0; number < scenario.source.transactions; ++number) {
    Scenario candidate = scenario;
    if (candidate.source.left_out.insert(number).second) {
      smaller = try_smaller(scenario, candidate) || smaller;
    }
  }
  return smaller;
}

bool shorten_transactions(Scenario& scenario) {
  for (const size_t most : {1, 2, 3, 5, 10, 20}) {
    Scenario candidate = scenario;
    candidate.source.changes_max = most;
    if (most < scenario.source.changes_max && try_smaller(scenario, candidate)) {
      return true;
    }
  }
  return false;
}

bool drop_faults(Scenario& scenario) {
  bool smaller = false;
  for (size_t i = scenario.faults.size(); i-- > 0;) {
    Scenario candidate = scenario;
    candidate.faults.erase(candidate.faults.begin() + static_cast<int64_t>(i));
    smaller = try_smaller(scenario, candidate) || smaller;
  }
  return smaller;
}

bool drop_fences(Scenario& scenario) {
  Scenario candidate = scenario;
  candidate.fences = scenario.fences / 2;
  return candidate.fences < scenario.fences && try_smaller(scenario, candidate);
}

}  // namespace

Scenario shrink(Scenario scenario) {
  for (int round = 0; round < kRounds; ++round) {
    bool smaller = drop_faults(scenario);
    smaller = drop_fences(scenario) || smaller;
    smaller = cut_history(scenario) || smaller;
    smaller = thin_history(scenario) || smaller;
    smaller = shorten_transactions(scenario) || smaller;
    if (!smaller) {
      break;
    }
  }
  return scenario;
}

}  // namespace repld::sim
