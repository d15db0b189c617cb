// replctl resync: tables are emptied and copied afresh while the link goes on.
#include <doctest/doctest.h>

#include <csignal>
#include <optional>

#include "server/verify_runs.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema =
    "create table a (id int primary key, body text); create table b (id int primary key, n int); "
    "create table p (id int, k int, v text, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); create table p2 partition of p default";

const std::vector<std::string> kTables = {"public.a", "public.b", "public.p"};

void fill(const Pair& pair) {
  pair.on_both(kSchema);
  pair.on_source(
      "insert into a select i, repeat(md5(i::text), 50) from generate_series(1, 2000) i; "
      "insert into b select i, 0 from generate_series(1, 500) i; "
      "insert into p select i, i % 3, 'v' from generate_series(1, 500) i");
}

void damage(const Pair& pair) {
  REQUIRE(eventually(30s, [&] {
    try {
      pair.past_guard("update a set body = 'x'; delete from p where id % 2 = 0");
      return true;
    } catch (const pqxx::deadlock_detected&) {
      return false;
    }
  }));
}

}  // namespace

TEST_SUITE("resync") {
  TEST_CASE("tables are copied afresh under writers, the others go on") {
    Pair pair;
    fill(pair);
    REQUIRE(pair.begin());
    std::optional<Writers> writers(
        std::in_place, pair, 1, [](pqxx::nontransaction& session, int64_t number) {
          const std::string id = std::to_string(1 + number % 500);
          session.exec("update a set body = 'w' || body where id = " + id +
                       "; update b set n = n + 1 where id = " + id + "; delete from p where id = " +
                       id + "; insert into p values (" + id + ", " + id + " % 4, 'w')");
        });
    for (int round = 0; round < 2; ++round) {
      const int64_t before = writers->written();
      REQUIRE(eventually(30s, [&] { return writers->written() > before + 20; }));
      damage(pair);
      const Outcome asked = pair.daemon.replctl({"resync", "public.a", "public.p"});
      const std::string told = asked.err + pair.daemon.replctl({"events"}).out;
      REQUIRE_MESSAGE(asked.exit_code == 0, told);
      REQUIRE(pair.daemon.wait_for("copied", 60s));
    }
    writers.reset();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference(kTables) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(sqlstate_of(pair.target.dsn, "insert into a values (-1)") == "25006");
  }

  TEST_CASE("a daemon that dies amid a resync finishes it at its next start") {
    Pair pair;
    fill(pair);
    REQUIRE(pair.begin());
    for (const char* point : {"join.after_guard", "copy.after_chunk", "join.before_done"}) {
      CAPTURE(point);
      pair.daemon.terminate();
      pair.daemon.start(std::string(point) + "=kill");
      REQUIRE(pair.caught_up());
      damage(pair);
      REQUIRE(pair.daemon.replctl({"resync", "public.a", "public.p"}).exit_code == 0);
      CHECK(pair.daemon.wait_for_death() == 128 + SIGKILL);
      pair.on_source("update a set body = 'later' where id < 10; update b set n = n + 1");
      REQUIRE(pair.begin());
      CHECK(pair.difference(kTables) == "");
    }
  }

  TEST_CASE("what is no copied table of the link is not resynced, nor anything beside it") {
    Pair pair;
    fill(pair);
    REQUIRE(pair.begin());
    const Outcome outcome = pair.daemon.replctl({"resync", "public.a", "public.none"});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.err.find("public.none") != std::string::npos);
    CHECK(pair.link()["copied"] == true);
    CHECK(pair.difference(kTables) == "");
    CHECK(pair.daemon.replctl({"resync"}).exit_code == 2);
  }
}
