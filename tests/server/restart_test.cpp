// Servers and daemon that go away in the middle of something, and come back.
#include <doctest/doctest.h>

#include <csignal>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// Large enough to leave the assembler in parts, with the smallest memory budget.
constexpr const char* kLarge =
    "insert into t select i, repeat(md5(i::text), 30) from generate_series(1, 20000) i";
constexpr const char* kSmallMemory = "[apply]\nmemory_mb = 16";

struct Watcher {
  // Counts what a reader sees besides nothing and everything.
  explicit Watcher(const Pair& pair, int64_t whole)
      : thread([&pair, this, whole](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            try {
              const int64_t seen = pair.count(pair.target.dsn, "t");
              partial += seen != 0 && seen != whole;
            } catch (const pqxx::failure&) {
              // The server is away.
            }
            std::this_thread::sleep_for(20ms);
          }
        }) {}
  std::atomic<int> partial{0};
  std::jthread thread;
};

}  // namespace

TEST_SUITE("restart") {
  TEST_CASE("a source that restarts in the middle of a transaction leaves nothing of it") {
    Pair pair;
    pair.on_both("create table t (id int primary key, body text)");
    REQUIRE(pair.begin());
    pqxx::connection connection(pair.source.dsn);
    auto open = std::make_unique<pqxx::work>(connection);
    open->exec("insert into public.t select i, 'never' from generate_series(1, 5000) i");
    pair.on_source("insert into t values (9001, 'kept')");
    pair.source.cluster->restart(StopMode::fast);
    CHECK_THROWS(open->exec("insert into public.t values (5001, 'never')"));
    pair.on_source("insert into t values (9002, 'kept')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.count(pair.target.dsn, "t") == 2);
    CHECK(pair.link()["reconnects_source"].get<int>() >= 1);
  }

  TEST_CASE("a link that left a source which shuts down, and finds it up, counts a reconnect") {
    PairOptions options;
    options.link_extra = "confirm_margin = \"5s\"";
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    // So that the next attempt is the first one that looks, and succeeds.
    pair.daemon.start("link.session_ended=sleep:5000");
    REQUIRE(pair.caught_up());
    // A source that was told of some but not of all waits for the link to leave.
    REQUIRE(eventually(40s, [&] { return pair.link()["confirmed"] != "0/0"; }));
    pair.on_source("insert into t values (0)");
    REQUIRE(pair.caught_up());
    pair.source.cluster->restart(StopMode::fast);
    pair.on_source("insert into t values (1)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.link()["reconnects_source"].get<int>() >= 1);
  }

  TEST_CASE("a source that crashes while a large transaction streams sends it again") {
    PairOptions options;
    options.extra = kSmallMemory;
    Pair pair(options);
    pair.on_both("create table t (id int primary key, body text)");
    pair.daemon.start("apply.between_parts=sleep:300");
    REQUIRE(pair.caught_up());
    Watcher watcher(pair, 20000);
    pair.on_source(kLarge);
    std::this_thread::sleep_for(800ms);
    pair.source.cluster->restart(StopMode::immediate);
    REQUIRE(pair.caught_up());
    CHECK(watcher.partial == 0);
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a target that crashes in the middle of a large transaction gets it whole") {
    PairOptions options;
    options.extra = kSmallMemory;
    Pair pair(options);
    pair.on_both("create table t (id int primary key, body text)");
    pair.daemon.start("apply.between_parts=sleep:300");
    REQUIRE(pair.caught_up());
    Watcher watcher(pair, 20000);
    pair.on_source(kLarge);
    std::this_thread::sleep_for(800ms);
    pair.target.cluster->restart(StopMode::immediate);
    REQUIRE(pair.caught_up());
    CHECK(watcher.partial == 0);
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.link()["reconnects_target"].get<int>() >= 1);
  }

  TEST_CASE("kill -9 between the parts of a large transaction, before and after any COMMIT") {
    PairOptions options;
    options.extra = kSmallMemory;
    Pair pair(options);
    pair.on_both("create table t (id int primary key, body text)");
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    Watcher watcher(pair, 20000);
    pair.on_source(kLarge);
    for (const char* point :
         {"apply.between_parts=kill@3", "apply.between_parts=kill", "apply.after_commit=kill"}) {
      pair.daemon.kill9();
      pair.daemon.start(point);
      // One more transaction, so that even the last round has a COMMIT to die after.
      pair.on_source("update t set body = 'x' where id = 1");
      eventually(20s, [&] { return !pair.daemon.running(); });
      pair.daemon.start();
      std::this_thread::sleep_for(200ms);
    }
    REQUIRE(pair.caught_up());
    CHECK(watcher.partial == 0);
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a refused row in a late part of a large transaction undoes all of it and is told") {
    PairOptions options;
    options.extra = kSmallMemory;
    Pair pair(options);
    pair.on_both("create table t (id int primary key, body text)");
    pair.on_target("alter table t add constraint narrow check (id <> 19000)");
    REQUIRE(pair.begin());
    pair.on_source(kLarge);
    REQUIRE(pair.daemon.wait_for_state("paused", 30s));
    CHECK(pair.count(pair.target.dsn, "t") == 0);
    CHECK(pair.link()["error"]["table"] == "public.t");
    pair.on_target("alter table t drop constraint narrow");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("drift in one part of a large transaction is mended and the parts before it stay") {
    PairOptions options;
    options.extra = kSmallMemory;
    Pair pair(options);
    pair.on_both("create table t (id int primary key, body text)");
    pair.on_source(kLarge);
    REQUIRE(pair.begin());
    pair.past_guard("delete from t where id in (5, 15000)");
    pair.on_source("update t set body = body || 'x'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.link()["tables"][0]["missing_rows"] == 2);
    CHECK(pair.daemon.log_text().find("public.t: 2 rows that should") != std::string::npos);
  }

  TEST_CASE("the daemon survives both servers being away and ends when asked meanwhile") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    pair.target.cluster->stop(StopMode::immediate);
    pair.on_source("insert into t values (1)");
    REQUIRE(pair.daemon.wait_for_state("retrying", 10s));
    CHECK(eventually(10s, [&] { return pair.link()["lag_seconds"].get<double>() > 2; }));
    pair.source.cluster->stop(StopMode::immediate);
    std::this_thread::sleep_for(2s);
    REQUIRE(pair.daemon.running());
    const auto began = std::chrono::steady_clock::now();
    CHECK(pair.daemon.terminate() == 0);
    CHECK(std::chrono::steady_clock::now() - began < 30s);
    pair.source.cluster->start();
    pair.target.cluster->start();
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("SIGTERM under load leaves a state from which the next start goes on") {
    Pair pair;
    pair.on_both("create table k (n int)");
    pair.on_source("alter table k replica identity full");
    REQUIRE(pair.begin());
    std::jthread writer([&](const std::stop_token& stop) {
      pqxx::connection connection(pair.source.dsn);
      for (int i = 0; !stop.stop_requested(); ++i) {
        pqxx::nontransaction(connection)
            .exec("insert into public.k values (" + std::to_string(i) + ")");
      }
    });
    for (int round = 0; round < 5; ++round) {
      pair.link();  // so that it is there to be asked to end, however slowly it started
      std::this_thread::sleep_for(700ms);
      CHECK(pair.daemon.terminate() == 0);
      pair.daemon.start();
    }
    writer.request_stop();
    writer.join();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.k"}) == "");
  }
}
