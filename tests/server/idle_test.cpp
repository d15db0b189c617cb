// A source on which nothing happens to our tables, for long, must neither lose the stream nor
// hold WAL for ever.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

int64_t confirmed_behind(const Pair& pair) {
  return pair
      .on_source(
          "select pg_current_wal_lsn() - confirmed_flush_lsn from pg_replication_slots "
          "where slot_name = 'repld_pair'")[0][0]
      .as<int64_t>();
}

std::string walsender(const Pair& pair) {
  return Pair::run_sql(pair.source.superuser_dsn,
                       "select pid from pg_stat_replication where state = 'streaming'")[0][0]
      .c_str();
}

}  // namespace

TEST_SUITE("idle") {
  TEST_CASE("an idle source keeps its stream for longer than wal_sender_timeout") {
    PairOptions options;
    options.source_settings = {{"wal_sender_timeout", "1s"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    const std::string before = walsender(pair);
    std::this_thread::sleep_for(5s);
    CHECK(walsender(pair) == before);
    CHECK(pair.link()["reconnects_source"] == 0);
    pair.on_source("insert into t values (1)");
    CHECK(pair.caught_up(10s));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a large transaction on the target holds up neither feedback nor the stream") {
    PairOptions options;
    options.source_settings = {{"wal_sender_timeout", "1s"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    const std::string before = walsender(pair);
    pqxx::connection connection(pair.target.dsn);
    pqxx::work blocker(connection);
    blocker.exec("lock table t in share mode");
    pair.on_source("insert into t select generate_series(1, 1000)");
    std::this_thread::sleep_for(4s);
    blocker.commit();
    REQUIRE(pair.caught_up());
    CHECK(walsender(pair) == before);
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("the slot advances while only other tables are written, and never past the row") {
    PairOptions options;
    options.link_extra = "confirm_margin = \"1s\"";
    options.extra = "[tables]\nexclude = [\"public.other\"]";
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    pair.on_source("create table other (body text)");
    REQUIRE(pair.begin());
    for (int i = 0; i < 30; ++i) {
      pair.on_source("insert into other select repeat('x', 1000) from generate_series(1, 2000)");
      const std::string progress = pair.on_target("select lsn from repld.progress")[0][0].c_str();
      const auto ahead = pair.on_source("select confirmed_flush_lsn > '" + progress +
                                        "' from pg_replication_slots");
      // The row was read first, so it may only have grown since: ask once more before judging.
      if (ahead[0][0].as<bool>()) {
        const std::string now = pair.on_target("select lsn from repld.progress")[0][0].c_str();
        CHECK_FALSE(pair.on_source("select confirmed_flush_lsn > '" + now +
                                   "' from pg_replication_slots")[0][0]
                        .as<bool>());
      }
      std::this_thread::sleep_for(50ms);
    }
    CHECK(eventually(30s, [&] { return confirmed_behind(pair) < 10'000; }));
    CHECK(pair.link()["lag_seconds"].get<double>() < 5);
  }

  TEST_CASE("caught-up is reached on a source where nobody writes") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    for (int i = 0; i < 3; ++i) {
      CHECK(pair.caught_up(5s));
    }
  }
}
