#include "core/cost_checks.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

Latency latency(double way_ms, double query_ms) {
  return {Side::source, timing_of({way_ms}), timing_of({query_ms})};
}

}  // namespace

TEST_CASE("a long way and a slow server are told apart") {
  struct Row {
    double way_ms;
    double query_ms;
    Severity severity;
    const char* why;
  };
  const Row rows[] = {{0.3, 0.5, Severity::ok, ""},
                      {60, 61, Severity::ok, ""},
                      {120, 121, Severity::warning, "the way there and back"},
                      {0.3, 50, Severity::warning, "much longer than the way"}};
  for (const Row& row : rows) {
    const Finding finding = check_latency(latency(row.way_ms, row.query_ms));
    CAPTURE(finding.what);
    CHECK(finding.severity == row.severity);
    CHECK(finding.why.find(row.why) != std::string::npos);
    CHECK(finding.action.empty() == (row.severity == Severity::ok));
  }
}

TEST_CASE("the target needs what it does not have yet") {
  const std::vector<TableSize> sizes = {{{"public", "a"}, 3 << 20, 1 << 20},
                                        {{"public", "b"}, 1 << 20, 2 << 20},
                                        {{"public", "c"}, 8 << 10, 0}};
  const auto found = check_sizes(sizes, {int64_t{5} << 30, 7 << 20});
  REQUIRE(found.size() == 2);
  CHECK(found[0].what == "the tables take 4.0 MB with their indexes, the whole database 5.0 GB");
  CHECK(found[0].why == "The largest: public.a 3.0 MB, public.b 1.0 MB, public.c 8.0 kB.");
  CHECK(found[1].what ==
        "up to 2.0 MB more disk is needed for the tables; the database takes 7.0 MB now");
  CHECK(check_sizes({}, {}).size() == 2);
}

TEST_CASE("a limit on temporary files matters below the largest table") {
  ServerFacts facts;
  facts.side = Side::target;
  facts.role.name = "us";
  facts.superusers = {"admin"};
  const std::vector<TableSize> sizes = {{{"public", "a"}, 1 << 20, 0}};
  CHECK(check_temp_files(sizes, facts).empty());
  for (const char* wide : {"-1", "1024", "9999999"}) {
    facts.settings["temp_file_limit"] = {wide, "kB", ""};
    CHECK(check_temp_files(sizes, facts).empty());
  }
  facts.settings["temp_file_limit"].value = "1023";
  const auto found = check_temp_files(sizes, facts);
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == Severity::warning);
  CHECK(found[0].sql == "alter role \"us\" set temp_file_limit = -1;");
  CHECK(found[0].role == "admin");
  CHECK(found[0].effect != "");
}
