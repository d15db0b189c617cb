// The daemon dies between any two steps of a cutover, or a connection does: one side is writable
// within max_freeze, or the other once a daemon runs again; never both, and no row is lost.
#include <doctest/doctest.h>

#include <future>

#include "server/cutover_runs.h"

using namespace repld::testing;

namespace {

using Clock = std::chrono::steady_clock;

// Exactly one takes writes, and says so within the time that writers may have to wait.
std::string writable_side(const MovingPair& pair) {
  const std::string on_source = pair.write(pair.source);
  const std::string on_target = pair.write(pair.target);
  CHECK((on_source == "") != (on_target == ""));
  CHECK_MESSAGE((on_source == "25006") != (on_target == "25006"),
                "source: " << on_source << ", target: " << on_target);
  return on_source == "" ? "source" : "target";
}

// As it must be once a daemon runs, wherever the one before has died.
void check_settled(MovingPair& pair, const std::string& where) {
  CAPTURE(where);
  REQUIRE(eventually(60s, [&] { return pair.caught_up(30s) && pair.unfinished() == 0; }));
  const std::string primary = writable_side(pair);
  CHECK(eventually(5s, [&] { return pair.primary() == primary; }));
  CHECK_MESSAGE(pair.becomes_equal(), pair.unequal());
}

struct Death {
  const char* failpoint;
  bool moved;  // whether the group lives on the target in the end
};

void die_at(const std::vector<Death>& deaths) {
  MovingPair pair;
  REQUIRE(pair.ready());
  for (const Death& death : deaths) {
    CAPTURE(death.failpoint);
    pair.daemon.terminate();
    pair.daemon.start(std::string(death.failpoint) + "=kill");
    REQUIRE(pair.caught_up());
    CHECK(pair.cutover().exit_code == 3);
    pair.daemon.wait_for_death();
    if (!death.moved) {
      const auto began = Clock::now();
      CHECK(pair.write(pair.source) == "");
      CHECK(Clock::now() - began < 4s);
    }
    CHECK(pair.write(pair.target) == (std::string(death.failpoint) == "cutover.completing" ||
                                              std::string(death.failpoint) == "cutover.done_once"
                                          ? ""
                                          : "25006"));
    pair.daemon.start();
    check_settled(pair, death.failpoint);
    REQUIRE(pair.primary() == (death.moved ? "target" : "source"));
    if (death.moved) {
      const Outcome back = pair.rollback();
      REQUIRE_MESSAGE(back.exit_code == 0, back.out << back.err);
    } else {
      REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    }
  }
}

// With a daemon that sleeps on the way.
std::future<Outcome> move_slowly(MovingPair& pair, const std::string& failpoint) {
  pair.daemon.terminate();
  pair.daemon.start(failpoint);
  REQUIRE(pair.caught_up());
  return std::async(std::launch::async, [&pair] { return pair.cutover(); });
}

// Ends the backend that holds such a lock on a table of the group, once there is one that has been
// left alone for a moment: the daemon sleeps then.
bool end_holder(const Platform& side, const std::string& mode) {
  return eventually(20s, [&] {
    return Pair::run_sql(side.superuser_dsn,
                         "select count(pg_terminate_backend(pid)) from pg_locks "
                         "join pg_stat_activity using (pid) where state = 'idle in transaction' "
                         "and clock_timestamp() - state_change > interval '300 ms' and mode = '" +
                             mode + "' and granted and relation = 'public.a'::regclass")[0][0]
               .as<int>() > 0;
  });
}

}  // namespace

TEST_SUITE("cutover_crash") {
  TEST_CASE("a daemon that dies before the lock leaves everything as it was") {
    die_at({{"cutover.arming", false},
            {"cutover.noting", false},
            {"cutover.noted_once", false},
            {"cutover.quieting", false},
            {"cutover.freezing", false}});
  }

  TEST_CASE("a daemon that dies while writers wait lets them go on") {
    die_at({{"cutover.draining", false},
            {"cutover.proving", false},
            {"cutover.preparing", false},
            {"cutover.committing", false}});
  }

  TEST_CASE("a daemon that dies after the COMMIT is followed by one that goes on") {
    die_at({{"cutover.closed", true},
            {"cutover.opening", true},
            {"cutover.completing", true},
            {"cutover.done_once", true}});
  }

  TEST_CASE("a session that is lost while writers wait lets them go on, and nothing has moved") {
    MovingPair pair;
    REQUIRE(pair.ready());
    std::future<Outcome> moving = move_slowly(pair, "cutover.preparing=sleep:1500");
    REQUIRE(end_holder(pair.source, "ExclusiveLock"));
    const auto began = Clock::now();
    CHECK(pair.write(pair.source) == "");
    CHECK(Clock::now() - began < 1s);
    const Outcome outcome = moving.get();
    CHECK(outcome.exit_code == 1);
    CHECK_MESSAGE(has(outcome.out, "withdrawn"), outcome.out << outcome.err);
    check_settled(pair, "lost on the source");
    CHECK(pair.primary() == "source");
  }

  TEST_CASE("a session that is lost before the new primary is open is followed by another") {
    MovingPair pair;
    REQUIRE(pair.ready());
    std::future<Outcome> moving = move_slowly(pair, "cutover.committing=sleep:1500");
    REQUIRE(end_holder(pair.target, "ShareRowExclusiveLock"));
    const Outcome outcome = moving.get();
    CHECK_MESSAGE(outcome.exit_code == 0, outcome.out << outcome.err);
    check_settled(pair, "lost on the target");
    CHECK(pair.primary() == "target");
    CHECK(pair.rollback().exit_code == 0);
  }

  TEST_CASE("a daemon that hangs lets writers go on after max_freeze, and finds that out") {
    MovingPair pair;
    REQUIRE(pair.ready());
    pair.daemon.terminate();
    pair.daemon.start("cutover.preparing=sleep:4000");
    REQUIRE(pair.caught_up());
    std::future<Outcome> moving = std::async(std::launch::async, [&] {
      return pair.cutover({"--max-freeze", "1s"});
    });
    REQUIRE(eventually(20s, [&] {
      return pair.on_source(
                     "select count(*) from pg_locks where mode = 'ExclusiveLock' and "
                     "relation = 'public.a'::regclass and granted")[0][0]
                 .as<int>() > 0;
    }));
    const auto began = Clock::now();
    CHECK(pair.write(pair.source) == "");
    CHECK(Clock::now() - began < 3s);
    const Outcome outcome = moving.get();
    CHECK(outcome.exit_code == 1);
    CHECK_MESSAGE(has(outcome.err + outcome.out, "as long as they may"),
                  outcome.out << outcome.err);
    check_settled(pair, "hanging");
    CHECK(pair.primary() == "source");
    pair.daemon.terminate();
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    const Outcome again = pair.cutover();
    CHECK_MESSAGE(again.exit_code == 0, again.out << again.err);
  }
}
