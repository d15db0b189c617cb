// Entry point of sim_tests. An assertion of the daemon's own ends the process: the seed is said
// before.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>

#include "sim/seeds.h"

namespace {

void say_seed(int /*signal*/) {
  std::fprintf(stderr, "it was seed %llu, run %llu\n",
               static_cast<unsigned long long>(repld::sim::seed_at_work),
               static_cast<unsigned long long>(repld::sim::runs));
}

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  std::signal(SIGABRT, say_seed);
  return context.run();
}
