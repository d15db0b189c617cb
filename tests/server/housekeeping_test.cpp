// What happened is written down, and tables of repld's own do not grow for ever.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// `count` events of a link, one a second, the newest `age` ago.
void insert_events(const Pair& pair, const std::string& link, int count, const std::string& age) {
  pair.on_target("insert into repld.event (link, at, kind, message) select '" + link +
                 "', now() - interval '" + age + "' - (" + std::to_string(count) +
                 " - i) * interval '1 second', 'test', '" + age +
                 " ' || i from generate_series(1, " + std::to_string(count) + ") i");
}

int64_t events_of(const Pair& pair, const std::string& link, const std::string& age) {
  return pair.count(pair.target.dsn,
                    "repld.event where link = '" + link + "' and message like '" + age + " %'");
}

}  // namespace

TEST_SUITE("housekeeping") {
  TEST_CASE("what happens while a link streams is written down within seconds, and at the end") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    const auto stored = [&](const std::string& kind) {
      return pair.count(pair.target.dsn, "repld.event where kind = '" + kind + "'");
    };
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(eventually(20s, [&] { return stored("verified") == 1; }));
    pair.daemon.kill9();
    REQUIRE(pair.begin());
    CHECK(pair.daemon.replctl({"events"}).out.find("1 of 1 tables equal") != std::string::npos);
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    REQUIRE(pair.daemon.terminate() == 0);
    CHECK(stored("verified") == 2);
  }

  TEST_CASE("old events go, the newest stay, and changes are applied meanwhile") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    insert_events(pair, "pair", 3000, "31 days");
    insert_events(pair, "finalized", 2000, "31 days");
    insert_events(pair, "other", 12000, "2 days");
    insert_events(pair, "pair", 12000, "1 day");
    pair.daemon.start();
    pair.on_source("insert into t select generate_series(1, 1000)");
    REQUIRE(pair.caught_up());
    REQUIRE(eventually(60s, [&] {
      return pair.count(pair.target.dsn, "repld.event where link = 'pair'") <= 10'010;
    }));
    // A few newer ones tell of this run.
    CHECK(events_of(pair, "pair", "1 day") > 9'900);
    CHECK(pair.on_target("select max(message) from repld.event where message = '1 day 12000'")[0][0]
              .c_str() == std::string("1 day 12000"));
    CHECK(events_of(pair, "pair", "31 days") == 0);
    CHECK(events_of(pair, "finalized", "31 days") == 0);
    // How many another link keeps is for its own daemon to say.
    CHECK(events_of(pair, "other", "2 days") == 12'000);
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("streaming") != std::string::npos);
    CHECK(pair.daemon.wait_log("old events removed", 20s));
  }

  TEST_CASE("of each table the newest hundred verifications are kept") {
    PairOptions options;
    options.extra = "[verify]\nevery = \"0\"";
    Pair pair(options);
    pair.on_both("create table t (id int primary key); create table u (id int primary key)");
    pair.on_source("insert into t values (1), (2)");
    REQUIRE(pair.begin());
    // As a year of them leaves: of both tables, and of another link's table of the same name.
    for (const char* whose :
         {"'pair', 'public', 't'", "'pair', 'public', 'u'", "'other', 'public', 't'"}) {
      pair.on_target(std::string("insert into repld.verification (link, schema_name, table_name, "
                                 "rows, target_rows, missing, extra, different, seconds) select ") +
                     whose + ", 7, 7, 0, 0, 0, 1 from generate_series(1, 150) i");
    }
    const auto kept = [&](const std::string& condition) {
      return pair.count(pair.target.dsn, "repld.verification where " + condition);
    };
    for (int64_t round = 1; round <= 2; ++round) {
      REQUIRE(pair.daemon.replctl({"verify", "public.t"}).exit_code == 0);
      CHECK(kept("link = 'pair' and table_name = 't'") == 100);
      CHECK(kept("link = 'pair' and table_name = 't' and rows = 2") == round);
    }
    CHECK(kept("link = 'pair' and table_name = 'u'") == 150);
    CHECK(kept("link = 'other'") == 150);
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(kept("link = 'pair' and table_name = 'u'") == 100);
    CHECK(kept("link = 'pair' and table_name = 't' and rows = 2") == 3);
    CHECK(kept("link = 'other'") == 150);
  }

  TEST_CASE("events that the target did not take are kept until it does") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    pair.on_target("alter table repld.event add constraint closed check (kind <> 'retrying')");
    pair.target.cluster->restart(StopMode::immediate);
    REQUIRE(eventually(30s, [&] {
      const nlohmann::json error = pair.link()["error"];
      return error.is_object() && error["sqlstate"] == "23514";
    }));
    CHECK(pair.count(pair.target.dsn, "repld.event where kind = 'retrying'") == 0);
    pair.on_target("alter table repld.event drop constraint closed");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "repld.event where kind = 'retrying'") > 0);
  }
}
