#include "sim/seeds.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace repld::sim {

uint64_t seed_at_work = 0;
uint64_t runs = 0;

namespace {

constexpr uint64_t kSeeds = 10'000;
constexpr uint64_t kCases = 6;

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Line by line, so that what happened before an assertion is seen too.
std::optional<std::string> tell(const Scenario& scenario) {
  fmt::print("{}", show(scenario));
  auto broken = run(scenario, [](const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  });
  fmt::print("{}\n", broken.value_or("nothing was broken"));
  return broken;
}

}  // namespace

void run_seeds(Theme theme) {
  if (std::getenv("REPLD_SIM_SEED") != nullptr) {
    const Scenario scenario = scenario_of(number_from("REPLD_SIM_SEED", 0), theme);
    seed_at_work = scenario.seed;
    CHECK_FALSE(tell(scenario).has_value());
    return;
  }
  const uint64_t seeds = std::max<uint64_t>(number_from("REPLD_SIM_SEEDS", kSeeds) / kCases, 1);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    seed_at_work = seed;
    ++runs;
    const Scenario scenario = scenario_of(seed, theme);
    if (const auto broken = run(scenario)) {
      fmt::print("seed {} of {}, run {}: {}\n\nThe smallest like it:\n", seed, seeds, runs,
                 *broken);
      tell(shrink(scenario));
      FAIL("seed " << seed << ": " << *broken << "; again: REPLD_SIM_SEED=" << seed << " and -tc='"
                   << doctest::getContextOptions()->currentTest->m_name << "'");
    }
  }
  CHECK(seeds > 0);
}

}  // namespace repld::sim
