// One owner of a link, whatever dies: leftovers of a killed daemon and daemons beside each other.
#include <doctest/doctest.h>

#include <csignal>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// A row arrives on the target once nobody holds lock 7, and takes a while, so that a pipeline
// outlives its client. The table has no key: a batch that is applied twice leaves its rows twice.
constexpr const char* kSlowTarget =
    "create function slow() returns boolean language plpgsql volatile as "
    "$$ begin perform pg_advisory_xact_lock_shared(7); perform pg_sleep(0.03); return true; end "
    "$$; create table k (n int, check (slow()))";

// What the dead daemon sent may still be on its way.
bool apply_backend_active(const Pair& pair) {
  return eventually(500ms, [&] {
    return pair.count(pair.target.superuser_dsn,
                      "pg_stat_activity where backend_type = 'client backend' "
                      "and state = 'active' "
                      "and pid = (select owner_pid from repld.progress)") == 1;
  });
}

}  // namespace

TEST_SUITE("owner") {
  TEST_CASE("a killed daemon's pipeline goes on; the one started at once applies nothing twice") {
    PairOptions options;
    options.extra = "[apply]\nbatch_rows = 10";
    Pair pair(options);
    pair.on_source("create table k (n int); alter table k replica identity full");
    pair.on_target(kSlowTarget);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    // The point of the test is that what was sent is still being executed. A server that happens
    // to look for its client just then has given up: another round.
    int executing = 0;
    for (int round = 0; executing < 3; ++round) {
      REQUIRE(round < 20);
      for (int i = 0; i < 50; ++i) {
        pair.on_source("insert into k values (" + std::to_string(100 * round + i) + ")");
      }
      pqxx::connection holder(pair.target.dsn);
      pqxx::nontransaction(holder).exec("select pg_advisory_lock(7)");
      pair.daemon.start("apply.batch_sent=kill@4");
      REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
      executing += apply_backend_active(pair) ? 1 : 0;
    }
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.k"}) == "");
  }

  TEST_CASE("a second daemon on the same link waits, and takes over when the first has died") {
    Pair pair;
    pair.on_both("create table t (id int primary key, n int default 0)");
    pair.on_source("insert into t values (1)");
    REQUIRE(pair.begin());
    Daemon second(pair.source.remote_dsn, pair.target.remote_dsn, "pair");
    second.start();
    REQUIRE(eventually(20s, [&] {
      return second.replctl({"events"}).out.find("owned by another daemon") != std::string::npos;
    }));
    pair.on_source("insert into t values (2)");
    REQUIRE(pair.caught_up());
    CHECK_FALSE(second.wait_for("streaming", 2s));
    pair.daemon.kill9();
    pair.on_source("insert into t values (3); update t set n = n + 1");
    REQUIRE(second.wait_for("caught-up", 40s));
    CHECK(pair.difference({"public.t"}) == "");
    // The first comes back and finds itself second.
    pair.daemon.start();
    pair.on_source("update t set n = n + 1");
    CHECK_FALSE(pair.daemon.wait_for("streaming", 3s));
    REQUIRE(second.wait_for("caught-up", 40s));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a session that lost its ownership is refused by the server and claims it anew") {
    Pair pair;
    pair.on_both("create table k (n int)");
    pair.on_source("alter table k replica identity full");
    REQUIRE(pair.begin());
    pair.on_target("update repld.progress set owner = gen_random_uuid()");
    pair.on_source("insert into k values (1)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.k"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("is not at") != std::string::npos);
  }
}
