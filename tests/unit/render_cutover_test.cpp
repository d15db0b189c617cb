#include "cli/render_cutover.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/cutover_status.h"

using namespace repld;
using namespace repld::cli;

namespace {

CutoverStatus sample() {
  CutoverStatus cutover;
  cutover.number = 3;
  cutover.id = "an-id";
  cutover.group = "clients";
  cutover.steps = {{CutoverState::checking, 100, 0.5, "2 tables, 0 warnings"},
                   {CutoverState::freezing, 101, 0.012, ""}};
  Finding finding;
  finding.severity = Severity::error;
  finding.side = Side::source;
  finding.what = "backend 7 holds RowExclusiveLock on public.a";
  finding.action = "Wait until it has ended, or end it.";
  cutover.findings = {finding};
  cutover.plan = {"first", "second"};
  return cutover;
}

nlohmann::json json_of(const CutoverStatus& cutover) {
  return nlohmann::json::parse(cutover_json(cutover));
}

}  // namespace

TEST_CASE("without a cutover there is none to show") { CHECK(cutover_json({}) == "null"); }

TEST_CASE("of a cutover that runs the steps that are done are shown, each once") {
  CutoverStatus cutover = sample();
  CHECK(render_steps(json_of(cutover), 0) == "  checking         500 ms  2 tables, 0 warnings\n");
  CHECK(render_steps(json_of(cutover), 1).empty());
  cutover.steps.clear();
  CHECK(render_steps(json_of(cutover), 0).empty());
  cutover = sample();
  cutover.running = false;
  CHECK(render_steps(json_of(cutover), 1) == "  freezing          12 ms\n");
}

TEST_CASE("a rehearsal shows the plan, or what stands in the way") {
  CutoverStatus cutover = sample();
  const std::string possible = render_rehearsal(json_of(cutover), false);
  CHECK(possible.find("   1. first\n   2. second\n") != std::string::npos);
  CHECK(possible.find("ERROR    source: backend 7 holds") != std::string::npos);
  cutover.failure = error_status(Error(ErrorKind::refused, "locked").hint("wait"), 0);
  const std::string refused = render_rehearsal(json_of(cutover), false);
  CHECK(refused.find("not possible now: locked\n  hint: wait\n") != std::string::npos);
  CHECK(refused.find("1. first") == std::string::npos);
}

TEST_CASE("the outcome says where the group is written and how long writers waited") {
  CutoverStatus cutover = sample();
  cutover.running = false;
  cutover.state = CutoverState::completed;
  cutover.freeze_seconds = 0.123;
  CHECK(render_outcome(json_of(cutover), false) ==
        "done: group clients is written on the target; writers waited 123 ms\n");
  cutover.state = CutoverState::withdrawn;
  cutover.failure = error_status(Error(ErrorKind::refused, "too slow"), 0);
  CHECK(render_outcome(json_of(cutover), false) == "withdrawn, nothing has moved: too slow\n");
}
