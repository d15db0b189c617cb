// Runs the fuzz targets over their corpus, and shows that they tell bad from good.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/targets.h"

using namespace repld;
namespace fs = std::filesystem;

namespace {

struct Target {
  const char* name;
  bool (*run)(std::string_view bytes);
};

const Target kTargets[] = {{"wal_frame", fuzz::run_wal_frame},
                           {"pgoutput", fuzz::run_pgoutput},
                           {"config", fuzz::run_config}};

}  // namespace

TEST_CASE("each fuzz target gets through its corpus, where some is accepted and some refused") {
  for (const Target& target : kTargets) {
    CAPTURE(target.name);
    int accepted = 0;
    int refused = 0;
    const fs::path folder = fs::path(REPLD_SOURCE_DIR) / "tests/data/fuzz" / target.name;
    for (const auto& entry : fs::directory_iterator(folder)) {
      CAPTURE(entry.path().filename().string());
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(in), {}};
      bool taken = false;
      CHECK_NOTHROW(taken = target.run(bytes));
      ++(taken ? accepted : refused);
    }
    CHECK(accepted >= 4);
    CHECK(refused >= 2);
  }
}

TEST_CASE("the seeds that are valid are accepted whole") {
  struct Row {
    const char* target;
    const char* seed;
    bool accepted;
  };
  const Row rows[] = {
      {"wal_frame", "data", true},        {"wal_frame", "keepalive_that_asks", true},
      {"wal_frame", "cut", false},        {"pgoutput", "update_of_full", true},
      {"pgoutput", "parts", true},        {"pgoutput", "resumed", true},
      {"pgoutput", "truncate", true},     {"pgoutput", "messages", true},
      {"pgoutput", "row_outside", false}, {"pgoutput", "across_resume", false},
      {"config", "groups.toml", true},    {"config", "surfaces.toml", true},
      {"config", "inline.toml", true},    {"config", "broken.toml", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    CAPTURE(row.seed);
    const fs::path path = fs::path(REPLD_SOURCE_DIR) / "tests/data/fuzz" / row.target / row.seed;
    std::ifstream in(path, std::ios::binary);
    REQUIRE(in.good());
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    for (const Target& target : kTargets) {
      if (target.name == std::string(row.target)) {
        CHECK(target.run(bytes) == row.accepted);
      }
    }
  }
}
