#include "app/hook.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace repld;
using namespace std::chrono_literals;

namespace {

HookResult run(const std::string& script, std::chrono::milliseconds timeout = 10s) {
  return app::run_hook({{"/bin/sh", "-c", script}, "clients", "target", "an-id"}, timeout);
}

}  // namespace

TEST_CASE("a hook is told what moved, in its environment and on its stdin") {
  const HookResult result = run("echo $REPLD_GROUP $REPLD_PRIMARY $REPLD_CUTOVER_ID; cat");
  CHECK(result.exit_code == 0);
  CHECK_FALSE(result.timed_out);
  CHECK(result.output ==
        "clients target an-id\n"
        "{\"cutover_id\":\"an-id\",\"group\":\"clients\",\"primary\":\"target\"}\n");
}

TEST_CASE("how a hook ended is told, with what it said") {
  const HookResult failed = run("echo out; echo err >&2; exit 7");
  CHECK(failed.exit_code == 7);
  CHECK(failed.output == "out\nerr\n");
  CHECK(run("kill -TERM $$").exit_code == 128 + 15);
}

TEST_CASE("of much output the end is kept") {
  const HookResult result = run("seq 1 20000; echo last");
  CHECK(result.exit_code == 0);
  CHECK(result.output.size() < 9000);
  CHECK(result.output.substr(result.output.size() - 5) == "last\n");
}

TEST_CASE("a hook that takes too long is ended with all that it has started") {
  const auto began = std::chrono::steady_clock::now();
  const HookResult result = run("sleep 60 & sleep 60", 200ms);
  CHECK(result.timed_out);
  CHECK(result.exit_code != 0);
  CHECK(std::chrono::steady_clock::now() - began < 20s);
}

TEST_CASE("a hook that is not there is an error") {
  CHECK_THROWS_AS(app::run_hook({{"/nowhere/at-all"}, "all", "source", ""}, 1s), Error);
}
