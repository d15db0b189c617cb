// A gap between slot and target is seen and never streamed over.
#include <doctest/doctest.h>

#include <csignal>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kSlot = "repld_pair";

void drop_slot_of(const Pair& pair) {
  REQUIRE(eventually(20s, [&] {
    return sqlstate_of(pair.source.dsn,
                       std::string("select pg_drop_replication_slot('") + kSlot + "')") == "";
  }));
}

void make_slot(const Pair& pair) {
  pair.on_source(std::string("select pg_create_logical_replication_slot('") + kSlot +
                 "', 'pgoutput')");
}

void write(const Pair& pair, int first, int last) {
  for (int i = first; i <= last; ++i) {
    pair.on_source("insert into t values (" + std::to_string(i) + ")");
  }
}

// Nothing moves any more, and every surface says so.
void check_lost(const Pair& pair, int64_t rows_on_target) {
  REQUIRE_MESSAGE(pair.daemon.wait_for_state("slot_lost", 20s), pair.daemon.log_text());
  pair.on_source("insert into t values (100000)");
  std::this_thread::sleep_for(1s);
  CHECK(pair.link()["state"] == "slot_lost");
  CHECK(pair.count(pair.target.dsn, "t") == rows_on_target);
  CHECK(pair.daemon.running());
}

}  // namespace

TEST_SUITE("slot_lost") {
  TEST_CASE("a slot that was dropped and made again is not streamed from") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    write(pair, 1, 10);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    drop_slot_of(pair);
    write(pair, 11, 20);
    make_slot(pair);
    write(pair, 21, 30);
    pair.daemon.start();
    check_lost(pair, 10);
    CHECK(pair.error_message().find("is ahead of the target") != std::string::npos);

    // The way out that the hint names.
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    pair.on_target("truncate t");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a slot that is dropped and made again under the running daemon is noticed too") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    // Both in one session, so that the daemon finds no moment in between.
    pair.on_source(
        "do $$ begin loop perform pg_terminate_backend(active_pid) from "
        "pg_replication_slots where active_pid is not null; "
        "begin perform pg_drop_replication_slot('repld_pair'); exit; "
        "exception when object_in_use then perform pg_sleep(0.001); end; "
        "end loop; end $$; insert into t values (1)");
    make_slot(pair);
    check_lost(pair, 0);
  }

  TEST_CASE("a slot that is gone is not made again behind the operator's back") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    write(pair, 1, 3);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    drop_slot_of(pair);
    write(pair, 4, 6);
    pair.daemon.start();
    check_lost(pair, 3);
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
  }

  TEST_CASE("a slot whose WAL the source removed is told as such") {
    PairOptions options;
    options.source_settings = {
        {"max_slot_wal_keep_size", "16MB"}, {"max_wal_size", "32MB"}, {"min_wal_size", "32MB"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key); create table other (id int)");
    pair.on_source("alter table other replica identity full");
    write(pair, 1, 3);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    for (int i = 0; i < 10; ++i) {
      pair.on_source(
          "begin; create table filler as select repeat('x', 1000) from "
          "generate_series(1, 15000); drop table filler; commit");
    }
    Pair::run_sql(pair.source.superuser_dsn, "checkpoint");
    pair.daemon.start();
    check_lost(pair, 3);
    CHECK(pair.error_message().find("was invalidated") != std::string::npos);
  }

  TEST_CASE("a source that came back older than it was is not streamed from") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    write(pair, 1, 3);
    REQUIRE(pair.begin());
    pair.source.cluster->stop(StopMode::fast);
    pair.source.cluster->save_data("old");
    pair.source.cluster->start();
    write(pair, 4, 9);
    REQUIRE(pair.caught_up());
    pair.source.cluster->stop(StopMode::fast);
    pair.source.cluster->restore_data("old");
    pair.source.cluster->start();
    check_lost(pair, 9);
    CHECK(pair.error_message().find("came back older") != std::string::npos);
  }

  TEST_CASE("a target that went back further than the margin is not streamed to") {
    PairOptions options;
    options.link_extra = "confirm_margin = \"1s\"";
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    write(pair, 1, 5);
    REQUIRE(pair.begin());
    pair.target.cluster->stop(StopMode::fast);
    pair.target.cluster->save_data("old");
    pair.target.cluster->start();
    write(pair, 6, 10);
    REQUIRE(pair.caught_up());
    // Positions older than a second are confirmed by now, so their WAL may be gone.
    REQUIRE(eventually(30s, [&] {
      pair.on_source("insert into t values ((select max(id) + 1 from t))");
      const nlohmann::json link = pair.link();
      return pair.count(pair.source.dsn,
                        "pg_replication_slots where confirmed_flush_lsn > "
                        "(select pg_current_wal_lsn() - 100000)") == 1 &&
             link["confirmed"] != "0/0" && pair.count(pair.target.dsn, "t") > 11;
    }));
    std::this_thread::sleep_for(2s);
    pair.target.cluster->stop(StopMode::fast);
    pair.target.cluster->restore_data("old");
    pair.target.cluster->start();
    check_lost(pair, 5);
    CHECK(pair.error_message().find("is ahead of the target") != std::string::npos);
  }

  TEST_CASE("a target that went back within the margin is replayed") {
    Pair pair;
    pair.on_both("create table t (id int primary key); create table k (n int)");
    pair.on_source("alter table k replica identity full");
    write(pair, 1, 5);
    REQUIRE(pair.begin());
    pair.target.cluster->stop(StopMode::fast);
    pair.target.cluster->save_data("old");
    pair.target.cluster->start();
    write(pair, 6, 40);
    pair.on_source(
        "insert into k select i from generate_series(1, 10) i; "
        "delete from k where n = 3; update k set n = 50 where n = 5");
    REQUIRE(pair.caught_up());
    pair.target.cluster->stop(StopMode::immediate);
    pair.target.cluster->restore_data("old");
    // Held back, so that the older state can be seen before the replay.
    pair.daemon.signal(SIGSTOP);
    pair.target.cluster->start();
    REQUIRE(pair.count(pair.target.dsn, "t") == 5);
    pair.daemon.signal(SIGCONT);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.k"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("missing") == std::string::npos);
  }

  TEST_CASE("another server under the source's address is not taken for the source") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    write(pair, 1, 3);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    const Platform other = supabase_like();
    Pair::run_sql(other.dsn,
                  "create table t (id int primary key); insert into t values (77); "
                  "create publication repld_pair for table t");
    Pair::run_sql(other.dsn, "select pg_create_logical_replication_slot('repld_pair', 'pgoutput')");
    Daemon elsewhere(other.remote_dsn, pair.target.remote_dsn, "pair");
    elsewhere.start();
    REQUIRE(elsewhere.wait_for_state("slot_lost", 20s));
    CHECK(pair.count(pair.target.dsn, "t") == 3);
  }
}
