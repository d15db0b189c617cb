// The way back: armed while nothing has moved, carrying what has, by positions and marks alone.
#include "way_back.h"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

using namespace repld::testing;

namespace {

std::string events(const Pair& pair) { return pair.daemon.replctl({"events"}).out; }

bool told(const Pair& pair, const std::string& text) {
  return eventually(20s, [&] { return events(pair).find(text) != std::string::npos; });
}

int64_t newest_xid(const std::string& dsn) {
  return Pair::run_sql(dsn, "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0][0]
      .as<int64_t>();
}

bool is_equal(const Pair& pair, const std::string& table) {
  return eventually(20s, [&] { return pair.difference({"public." + table}).empty(); });
}

constexpr const char* kGroups =
    "[[groups]]\nname = \"moving\"\ntables = [\"public.m\"]\n[apply]\nmemory_mb = 16\n";

}  // namespace

TEST_SUITE("way_back") {
  TEST_CASE("armed, it passes by what the forward link applies, and neither link wakes the other") {
    Pair pair(both_decode("[apply]\nmemory_mb = 16\n"));
    pair.on_both("create table t (id int primary key, v text)");
    pair.on_source("insert into t select i, 'a' from generate_series(1, 100) i");
    REQUIRE(pair.begin());
    CHECK(way_back(pair).is_null());
    CHECK(pair.on_source("select to_regnamespace('repld') is null")[0][0].as<bool>());
    const Outcome armed = pair.daemon.replctl({"arm"});
    CHECK_MESSAGE(armed.exit_code == 0, armed.err);
    CHECK(way_back(pair)["state"] == "streaming");
    CHECK(pair.daemon.replctl({"arm"}).exit_code == 0);

    // More than fits into one part, so that its mark must be known from the first.
    pair.on_source(
        "insert into t select i, repeat(md5(i::text), 20) "
        "from generate_series(1000, 20000) i; update t set v = 'b' where id < 50; "
        "delete from t where id between 60 and 70");
    REQUIRE(pair.caught_up());
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(pair.daemon.replctl({"resync", "public.t"}).exit_code == 0);
    CHECK(pair.daemon.wait_for("copied", 60s));
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "t") == 19'090);
    CHECK(way_back(pair)["rogue_changes"] == 0);
    CHECK(way_back(pair)["applied_rows"] == 0);
    CHECK(way_back(pair)["tables"].empty());

    const int64_t before = newest_xid(pair.target.dsn) + newest_xid(pair.source.dsn);
    std::this_thread::sleep_for(4s);  // what is measured is a rate
    CHECK(newest_xid(pair.target.dsn) + newest_xid(pair.source.dsn) - before < 20);
    CHECK(pair.difference({"public.t"}) == "");
    pair.on_source("insert into t values (-1, 'the source may be written')");
    CHECK(pair.caught_up());
  }

  TEST_CASE("whoever writes past the guard of a replica is told, and nothing of it gets home") {
    Pair pair(both_decode());
    pair.on_both("create table t (id int primary key, v text)");
    pair.on_source("insert into t values (1, 'a')");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"arm"}).exit_code == 0);
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    pair.past_guard("insert into t values (2, 'rogue'); update t set v = 'rogue' where id = 1");
    CHECK(told(pair, "2 changes to public.t on the target"));
    CHECK(eventually(10s, [&] { return way_back(pair)["rogue_changes"] == 2; }));
    CHECK(pair.on_source("select string_agg(v, ',') from t")[0][0].c_str() == std::string("a"));
    // The proof is overtaken, the rows are seen to differ, and can be mended.
    CHECK(eventually(30s, [&] {
      const nlohmann::json proof = pair.link()["tables"][0]["proof"];
      return proof["missing"].get<int>() + proof["extra"].get<int>() +
                 proof["different"].get<int>() >
             0;
    }));
    CHECK(pair.daemon.replctl({"repair"}).exit_code == 0);
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(way_back(pair)["rogue_changes"] == 2);
  }

  TEST_CASE("a group that has moved comes home, the others go on, and it moves back, twice") {
    Pair pair(both_decode(kGroups));
    pair.on_both(
        "create table m (id int primary key, v text); "
        "create table t (id int primary key, v text)");
    pair.on_source("insert into m values (1, 'a'), (2, 'b'); insert into t values (1, 'a')");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"arm"}).exit_code == 0);
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      move_to_target(pair, {"moving", {"m"}, 2 * round + 1});
      pair.on_target("update m set v = v || 'x' where id = 1; insert into m values (" +
                     std::to_string(100 + round) + ", 'new')");
      pair.on_source("insert into t values (" + std::to_string(10 + round) + ", 'c')");
      REQUIRE(is_equal(pair, "m"));
      REQUIRE(is_equal(pair, "t"));
      CHECK(eventually(20s, [&] {
        return sqlstate_of(pair.source.dsn, "insert into m values (7, 'late')") == "25006";
      }));
      CHECK(sqlstate_of(pair.target.dsn, "insert into t values (7, 'early')") == "25006");
      // Large ones in both directions at once.
      pair.on_target(
          "update m set v = 'y'; insert into m select i, repeat(md5(i::text), 20) "
          "from generate_series(1000, 15000) i");
      pair.on_source(
          "insert into t select i, repeat(md5(i::text), 20) "
          "from generate_series(1000, 15000) i");
      pair.on_target("delete from m where id >= 1000");
      pair.on_source("delete from t where id >= 1000");
      REQUIRE(pair.caught_up());
      CHECK(pair.difference({"public.m", "public.t"}) == "");
      const Outcome verified = pair.daemon.replctl({"verify"});
      CHECK_MESSAGE(verified.exit_code == 0, verified.out);
      CHECK(verified.out.find("public.m") != std::string::npos);
      CHECK(verified.out.find("public.t") != std::string::npos);

      move_to_source(pair, {"moving", {"m"}, 2 * round + 2});
      pair.on_source("insert into m values (" + std::to_string(200 + round) +
                     ", 'home'); "
                     "update m set v = 'z' where id = 2");
      REQUIRE(is_equal(pair, "m"));
      CHECK(eventually(20s, [&] {
        return sqlstate_of(pair.target.dsn, "insert into m values (8, 'late')") == "25006";
      }));
    }
    CHECK(way_back(pair)["rogue_changes"] == 0);
    CHECK(pair.link()["rogue_changes"] == 0);
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("what was written before the move and after it are told apart whenever they are read") {
    Pair pair(both_decode());
    pair.on_both("create table t (id int primary key, v text)");
    pair.on_source("insert into t values (1, 'a')");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"arm"}).exit_code == 0);
    pair.daemon.kill9();
    pair.past_guard("insert into t values (50, 'rogue')");
    move_to_target(pair);
    pair.on_target("insert into t values (60, 'written on the new primary')");
    SUBCASE("at the next start") { pair.daemon.start(); }
    SUBCASE("after a crash before the place of the move was kept") {
      pair.daemon.start("link.before_flip=kill@1");
      pair.daemon.wait_for_death();
      pair.daemon.start();
    }
    SUBCASE("after a crash behind it") {
      pair.daemon.start("apply.after_commit=kill@1");
      pair.daemon.wait_for_death();
      pair.daemon.start();
    }
    CHECK(eventually(30s, [&] { return pair.count(pair.source.dsn, "t where id = 60") == 1; }));
    CHECK(pair.count(pair.source.dsn, "t where id = 50") == 0);
    CHECK(told(pair, "1 changes to public.t on the target"));
    pair.on_target("delete from t where id = 50");
    pair.on_target("update t set v = 'c' where id = 60");
    CHECK(is_equal(pair, "t"));
  }

  TEST_CASE("a lost slot stops the way back alone, and finalize takes all of it away") {
    Pair pair(both_decode());
    pair.on_both("create table t (id int primary key, v text)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"arm"}).exit_code == 0);
    REQUIRE(pair.daemon.terminate() == 0);
    pair.on_target("select pg_drop_replication_slot('repldback_pair')");
    pair.daemon.start();
    CHECK(eventually(30s, [&] {
      const nlohmann::json link = way_back(pair);
      return link.is_object() && link["state"] == "slot_lost";
    }));
    const Outcome armed = pair.daemon.replctl({"arm"});
    CHECK(armed.exit_code == 1);
    CHECK_MESSAGE(armed.err.find("slot") != std::string::npos, armed.err);
    pair.on_source("insert into t values (1, 'a')");
    CHECK(is_equal(pair, "t"));
    const Outcome finalized = pair.daemon.replctl({"finalize", "--yes"});
    CHECK_MESSAGE(finalized.exit_code == 0, finalized.err);
    CHECK(pair.count(pair.target.dsn, "pg_publication") == 0);
    CHECK(pair.count(pair.target.dsn, "pg_replication_slots") == 0);
    CHECK(pair.count(pair.source.dsn, "pg_publication where pubname like 'repld%'") == 0);
    CHECK(pair.count(pair.source.dsn, "repld.progress") == 0);
    CHECK(pair.count(pair.source.dsn, "repld.table_state") == 0);
    pair.on_both("insert into t values (2, 'b')");
  }

  TEST_CASE("a target that cannot decode is refused before anything is left on the source") {
    PairOptions options;
    options.target_variant = TimewebVariant::A;
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    const Outcome armed = pair.daemon.replctl({"arm"});
    CHECK(armed.exit_code == 1);
    CHECK_MESSAGE(armed.err.find("the target cannot decode its WAL") != std::string::npos,
                  armed.err);
    CHECK(way_back(pair).is_null());
    CHECK(pair.on_source("select to_regnamespace('repld') is null")[0][0].as<bool>());
  }

  TEST_CASE("a way back that cannot be set up rests again") {
    Pair pair(both_decode());
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    as_admin(pair.source,
             "create schema repld; grant usage on schema repld to " + pair.source.user);
    CHECK(pair.daemon.replctl({"arm"}).exit_code == 1);
    CHECK(eventually(20s, [&] { return way_back(pair).is_null(); }));
    as_admin(pair.source, "drop schema repld");
    const Outcome armed = pair.daemon.replctl({"arm"});
    CHECK_MESSAGE(armed.exit_code == 0, armed.err);
  }

  TEST_CASE("what has moved is neither copied afresh nor moved again by the configuration") {
    Pair pair(both_decode(kGroups));
    pair.on_both(
        "create table m (id int primary key, v text); create table t (id int primary key)");
    pair.on_source("insert into m values (1, 'a')");
    REQUIRE(pair.begin());
    // As a cutover without a way back leaves it.
    pair.on_source(
        "create schema repld; create table repld.route (link text, group_name text, "
        "primary_side text, generation bigint, primary key (link, group_name))");
    move_to_target(pair, {"moving", {"m"}, 1});
    CHECK(eventually(20s, [&] {
      return pair.link()["state"] == "streaming" && pair.link()["tables"].size() == 1;
    }));
    const Outcome resync = pair.daemon.replctl({"resync", "public.m"});
    CHECK(resync.exit_code == 1);
    CHECK_MESSAGE(resync.err.find("Its group has moved") != std::string::npos, resync.err);

    const std::string config = read_file(pair.daemon.config_path());
    std::string edited = config;
    edited.replace(edited.find("public.m"), 8, "public.t");
    std::ofstream(pair.daemon.config_path(), std::ios::trunc) << edited;
    pair.daemon.signal(SIGHUP);
    CHECK(told(pair, "table public.m is not moved by the configuration"));
    pair.on_target("insert into m values (2, 'b')");
    std::ofstream(pair.daemon.config_path(), std::ios::trunc) << config;
    pair.daemon.signal(SIGHUP);
    CHECK(eventually(30s, [&] { return pair.link()["state"] == "streaming"; }));
    pair.on_source("insert into t values (1)");
    CHECK(is_equal(pair, "t"));
    CHECK(pair.count(pair.target.dsn, "m") == 2);
  }

  TEST_CASE("a table that joined after the arming comes home too, after a crash in the middle") {
    Pair pair(both_decode());
    pair.on_both("create table t (id int primary key, v text)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"arm"}).exit_code == 0);
    pair.on_both("create table n (id int primary key, v text)");
    pair.on_source("insert into n values (1, 'a')");
    REQUIRE(pair.daemon.terminate() == 0);
    pair.daemon.start();
    REQUIRE(pair.daemon.wait_for("copied", 60s));
    CHECK(is_equal(pair, "n"));
    REQUIRE(pair.daemon.terminate() == 0);
    pair.daemon.start("adopt.after_publication=kill@1");
    pair.daemon.wait_for_death();
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    const Outcome armed = pair.daemon.replctl({"arm"});
    CHECK_MESSAGE(armed.exit_code == 0, armed.err);
    move_to_target(pair, {"all", {"t", "n"}, 1});
    pair.on_target("insert into n values (2, 'b'); insert into t values (2, 'b')");
    CHECK(is_equal(pair, "n"));
    CHECK(is_equal(pair, "t"));
    CHECK(way_back(pair)["rogue_changes"] == 0);
    CHECK(way_back(pair)["tables"].size() == 2);
  }

  TEST_CASE("partitions that somebody makes on the old primary are guarded, and nothing is left") {
    Pair pair(both_decode());
    pair.on_both(
        "create table p (id int, at int, primary key (id, at)) partition by range (at); "
        "create table p1 partition of p for values from (0) to (10)");
    pair.on_source("insert into p values (1, 1)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"arm"}).exit_code == 0);
    // Not by trying: the moves of this test put no guard up themselves.
    const auto guarded = [&](const std::string& relation) {
      return eventually(20s, [&] {
        return pair.count(pair.source.dsn,
                          "pg_trigger where tgname = 'repld_guard_pair-back_rows' and tgrelid = '" +
                              relation + "'::regclass and tgenabled = 'A'") == 1;
      });
    };
    move_to_target(pair, {"all", {"p"}, 1});
    REQUIRE(guarded("p1"));
    pair.on_source(
        "create table p2 partition of p for values from (10) to (20); create table p3 (like p); "
        "alter table p attach partition p3 for values from (20) to (30)");
    for (const char* sql : {"insert into p2 values (2, 12)", "insert into p3 values (2, 22)",
                            "insert into p values (2, 12)", "update p1 set id = 3"}) {
      CAPTURE(sql);
      CHECK(sqlstate_of(pair.source.dsn, sql) == "25006");
    }
    pair.on_target(
        "create table p2 partition of p for values from (10) to (20); "
        "create table p4 partition of p for values from (30) to (40); "
        "insert into p values (5, 15), (6, 35); update p set id = 7 where id = 1");
    CHECK(is_equal(pair, "p"));
    move_to_source(pair, {"all", {"p"}, 2});
    pair.on_source("insert into p2 values (8, 18)");
    CHECK(is_equal(pair, "p"));
    CHECK(sqlstate_of(pair.target.dsn, "insert into p4 values (2, 32)") == "25006");
    move_to_target(pair, {"all", {"p"}, 3});
    REQUIRE(guarded("p3"));
    CHECK(sqlstate_of(pair.source.dsn, "insert into p3 values (2, 22)") == "25006");
    const Outcome finalized = pair.daemon.replctl({"finalize", "--yes"});
    CHECK_MESSAGE(finalized.exit_code == 0, finalized.err);
    for (const std::string& dsn : {pair.source.dsn, pair.target.dsn}) {
      CHECK(pair.count(dsn, "pg_trigger where tgname like 'repld%'") == 0);
      Pair::run_sql(dsn, "insert into p values (100, 19)");
    }
  }
}
