#include <doctest/doctest.h>

#include "sim/seeds.h"

using repld::sim::run_seeds;
using repld::sim::Theme;

TEST_CASE("crashes and cuts at any step leave the target a prefix of the source") {
  run_seeds(Theme::crashes);
}

TEST_CASE("a change that the target refuses stops the link right before its transaction") {
  run_seeds(Theme::refusals);
}

TEST_CASE("rows that drifted are mended when they are touched, and counted") {
  run_seeds(Theme::drift);
}

TEST_CASE("oversized transactions go in parts and commit whole") { run_seeds(Theme::large); }

TEST_CASE("where a fence stands, the target is exactly what the snapshot of the source shows") {
  run_seeds(Theme::fences);
}

TEST_CASE("all of it at once") { run_seeds(Theme::everything); }
