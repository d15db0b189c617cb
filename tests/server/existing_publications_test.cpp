// Links through publications of somebody else: what they give is what is copied and streamed.
#include <doctest/doctest.h>

#include <thread>

#include "existing_links.h"

using namespace repld::testing;

TEST_SUITE("existing publications") {
  TEST_CASE("of all tables: what the configuration leaves out is dropped from the stream") {
    Pair pair(through("\"everything\"",
                      "[tables]\ninclude = [\"public.*\"]\nexclude = [\"public.out*\"]"));
    pair.on_both(
        "create table t (id int primary key, n int); "
        "create table m (id int, k int, primary key (id, k)) partition by list (k); "
        "create table m1 partition of m for values in (1)");
    pair.on_source(
        "create table out_t (id int primary key); create schema other; "
        "create table other.t (id int primary key); create schema repld; "
        "create table repld.progress (link text primary key); "
        "create table out_m (id int, k int, primary key (id, k)) partition by list (k); "
        "create table out_m1 partition of out_m for values in (1); "
        "insert into t values (1, 1), (2, 2); insert into m values (1, 1); "
        "insert into out_t values (1); insert into out_m values (1, 1)");
    as_admin(pair.source, "create publication everything for all tables");
    REQUIRE(pair.begin());
    CHECK(has(events(pair), "public.out_t (by the configuration)"));
    CHECK(has(events(pair), "other.t (by the configuration)"));

    pair.on_source(
        "begin; insert into t values (3, 3); insert into out_t values (2); update out_t set id = 3 "
        "where id = 2; delete from out_t where id = 1; insert into other.t values (1); "
        "insert into repld.progress values ('x'); "
        "insert into out_m values (2, 1); commit; truncate t, out_t; insert into t values (4, 4)");
    pair.on_source("create table m2 partition of m for values in (2)");
    pair.on_source("create table out_m2 partition of out_m for values in (2)");
    pair.on_source("create table out_later (id int primary key)");
    pair.on_source(
        "insert into m values (2, 2); insert into out_m values (2, 2); "
        "insert into out_later values (1); update t set n = 5");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.m"}) == "");
    CHECK(rows(pair.target.dsn, "select id, n from t") == "(4,5)");
    CHECK(pair.link()["error"].is_null());
    CHECK_FALSE(has(events(pair), "drift"));
    CHECK(sqlstate_of(pair.target.dsn, "delete from m2") == "25006");
  }

  TEST_CASE("of all tables: also without identity, until a table comes that was not copied") {
    Pair pair(through("\"everything\""));
    pair.on_both("create table t (id int primary key); create table log (x int, y text)");
    pair.on_source("insert into t values (1); insert into log values (1, 'a'), (1, 'a')");
    as_admin(pair.source, "create publication everything for all tables");
    REQUIRE(pair.begin());
    pair.on_source("insert into log values (1, 'a'), (2, null); insert into t values (2)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.log"}) == "");

    pair.on_source("create table late (id int primary key)");
    pair.on_source("insert into t values (3)");
    pair.on_source("insert into late values (1)");
    REQUIRE(stops_with(pair, "table \"public.late\" came into the publications after the copy"));
    CHECK(pair.link()["state"] == "paused");
    pair.daemon.terminate();
    replace_in_config(pair.daemon, "[http]", "[tables]\nexclude = [\"public.late\"]\n[http]");
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.log"}) == "");
  }

  TEST_CASE("of a schema, and several whose row filters are joined, by names that need quotes") {
    Pair pair(
        through("\"App, all\", \"low\", \"it's \\\"high\\\"\"", "[tables]\ninclude = [\"*.*\"]"));
    pair.on_both(
        "create schema app; create table app.a (id int primary key); "
        "create table app.b (id int primary key); create table t (n int primary key)");
    pair.on_source(
        "create publication low for table t where (n < 10); "
        "create publication \"it's \"\"high\"\"\" for table t where (n > 90); "
        "insert into app.a values (1); insert into t select generate_series(1, 100)");
    as_admin(pair.source, "create publication \"App, all\" for tables in schema app");
    REQUIRE(pair.begin());
    CHECK(pair.count(pair.target.dsn, "t where n < 10") == 9);
    CHECK(pair.count(pair.target.dsn, "t") == 19);
    pair.on_source(
        "insert into app.b values (1); update app.a set id = 2; insert into t values (0), (101), "
        "(-50); delete from t where n in (5, 50, 95); insert into t values (50)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"app.a", "app.b"}) == "");
    const std::string given = "select n from t where n < 10 or n > 90";
    CHECK(rows(pair.target.dsn, "select n from t") == rows(pair.source.dsn, given));
  }

  TEST_CASE("rows enter and leave the row filter") {
    Pair pair(through("\"p\""));
    pair.on_both(
        "create table t (id int, open bool, body text, primary key (id, open)); "
        "create table f (id int primary key, n int, body text)");
    pair.on_source(
        "alter table f replica identity full; alter table f alter column body set storage "
        "external; "
        "alter table t alter column body set storage external; "
        "create publication p for table t where (open), f where (n > 10); "
        "insert into t select i, i % 2 = 0, 'b' from generate_series(1, 10) i; "
        "insert into f select i, i, repeat('x', 5000) from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    const std::string t = "select * from t where open";
    const std::string f = "select id, n, md5(body) from f where n > 10";
    CHECK(rows(pair.target.dsn, "select * from t") == rows(pair.source.dsn, t));
    CHECK(rows(pair.target.dsn, "select id, n, md5(body) from f") == rows(pair.source.dsn, f));
    pair.on_source(
        "update t set open = true where id = 1; update t set open = false where id = 2; "
        "update t set body = 'c'; delete from t where id in (3, 4); insert into t values "
        "(11, true, 'n'), (12, false, 'n'); update f set n = n + 5; delete from f where id = 1");
    pair.on_source("update f set n = 1 where id = 20; update f set body = 'y' where id = 19");
    REQUIRE(pair.caught_up());
    CHECK(rows(pair.target.dsn, "select * from t") == rows(pair.source.dsn, t));
    CHECK(rows(pair.target.dsn, "select id, n, md5(body) from f") == rows(pair.source.dsn, f));
    CHECK_FALSE(has(events(pair), "drift"));

    // Its old row is not in the WAL, so the large value is not in the stream.
    pair.on_source("insert into t values (20, false, repeat('z', 5000))");
    pair.on_source("update t set open = true where id = 20");
    REQUIRE(stops_with(pair, "a row that must be complete leaves out a value"));
    CHECK(has(pair.link()["error"]["hint"], "REPLICA IDENTITY FULL"));
    CHECK(rows(pair.target.dsn, "select * from t where id = 20") == "");
  }

  TEST_CASE("a column list: the other columns stay at home") {
    Pair pair(through("\"p\""));
    pair.on_source(
        "create table t (id int primary key, secret text, a int, "
        "twice int generated always as (a * 2) stored, b text); "
        "insert into t (id, secret, a, b) select i, 'no', i, 'b' from generate_series(1, 5) i; "
        "create publication p for table t (id, a)");
    pair.on_target(
        "create table t (a int, id int primary key, b text default 'own', "
        "twice int generated always as (a * 2) stored)");
    REQUIRE(pair.begin());
    pair.on_source(
        "insert into t (id, secret, a) values (6, 'no', 6); update t set secret = 'never', b = "
        "'c'; "
        "update t set a = 7 where id = 2; delete from t where id = 3; alter table t add z int");
    pair.on_source("update t set z = 1, a = a + 1");
    REQUIRE(pair.caught_up());
    CHECK(rows(pair.target.dsn, "select id, a, twice from t") ==
          rows(pair.source.dsn, "select id, a, twice from t"));
    CHECK(pair.count(pair.target.dsn, "t where b = 'own'") == 5);
    begin_again(pair);
    CHECK(pair.caught_up());
  }

  TEST_CASE("generated columns that are published arrive like any other") {
    PairOptions options = through("\"p\"");
    options.source_version = 18;
    Pair pair(options);
    pair.on_source(
        "create table t (id int primary key, a int, g int generated always as (a * 2) stored); "
        "create table u (id int primary key, g int generated always as (id * 2) stored); "
        "create publication p for table t, u with (publish_generated_columns = stored); "
        "insert into t (id, a) values (1, 1)");
    pair.on_target(
        "create table t (id int primary key, a int, g int); "
        "create table u (id int primary key, g int generated always as (id * 2) stored)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t (id, a) values (2, 2); update t set a = 5 where id = 1");
    pair.on_source("insert into u (id) values (1)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.u"}) == "");
    pair.on_source("alter publication p set (publish_generated_columns = none)");
    begin_again(pair);
    CHECK(stops_with(pair, "give other generated columns of \"public.t\""));
  }

  TEST_CASE("only inserts: no replica identity is needed, and nothing else is applied") {
    Pair pair(through("\"p\""));
    pair.on_source(
        "create table log (at int, what text); create table t (id int primary key, n int); "
        "create table part (a int, b int, c int, primary key (a, b)); "
        "create publication p for table log, t, part (a, c) with (publish = 'insert'); "
        "insert into log values (1, 'a'); insert into t values (1, 1), (2, 2)");
    pair.on_target(
        "create table log (at int, what text); create table t (id int, n int); "
        "create table part (a int, b int, c int)");
    REQUIRE(pair.begin());
    pair.on_source(
        "insert into log values (2, 'b'), (2, 'b'); update log set what = 'c'; delete from t where "
        "id = 1; update t set n = 3; insert into t values (3, 3); truncate log; "
        "insert into log values (3, 'd'); insert into part values (1, 1, 1), (1, 2, 2)");
    REQUIRE(pair.caught_up());
    CHECK(rows(pair.target.dsn, "select * from log") == "(1,a) (2,b) (2,b) (3,d)");
    CHECK(rows(pair.target.dsn, "select * from t") == "(1,1) (2,2) (3,3)");
    CHECK(rows(pair.target.dsn, "select a, c from part") == "(1,1) (1,2)");
    CHECK(sqlstate_of(pair.target.dsn, "insert into log values (4)") == "25006");
    // That the target has more is meant to be: not compared, and nothing that repair would remove.
    for (const char* command : {"verify", "repair"}) {
      const auto told = pair.daemon.replctl({command});
      CHECK(told.exit_code != 0);
      CHECK_MESSAGE(has(told.out + told.err, "published of it is only: insert"), told.out);
    }
    CHECK(rows(pair.target.dsn, "select * from t") == "(1,1) (2,2) (3,3)");

    pair.on_source("alter publication p set (publish = 'insert, update, delete, truncate')");
    pair.on_source("update t set n = 9 where id = 3");
    REQUIRE(eventually(20s, [&] {
      const std::string told = pair.error_message();
      return has(told, "an UPDATE or DELETE of \"public.t\" came") || has(told, "other operations");
    }));
    CHECK(rows(pair.target.dsn, "select * from t") == "(1,1) (2,2) (3,3)");
  }

  TEST_CASE(
      "a partition whose commit waits for a standby streams before it is shown, and is not lost") {
    Pair pair(through("\"p\""));
    pair.on_both(
        "create table m (id int primary key, a text) partition by range (id); "
        "create table m1 partition of m for values from (0) to (10)");
    pair.on_source("create table other (id int primary key, a text)");
    as_admin(pair.source, "create publication p for all tables");
    pair.on_target("create table other (id int primary key, a text)");
    REQUIRE(pair.begin());
    pair.source.cluster->set({{"synchronous_standby_names", "away"}});
    std::jthread writer([&] {
      pqxx::connection connection(pair.source.dsn);
      pqxx::nontransaction(connection)
          .exec(
              "begin; create table m2 partition of m for values from (10) to (20); "
              "insert into m values (11, 'x'), (12, 'y'); commit");
    });
    const bool told = eventually(30s, [&] {
      return pair.error_message().find("does not show yet what it streams") != std::string::npos;
    });
    pair.source.cluster->set({{"synchronous_standby_names", ""}});
    writer.join();
    CHECK(told);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m"}) == "");
    CHECK(pair.count(pair.target.dsn, "m2") == 2);
  }

  TEST_CASE("via the partition root: under its name, with its filter and columns") {
    Pair pair(through("\"p\""));
    pair.on_both(
        "create table m (id int, k int, v text, primary key (id, k)) partition by list (k); "
        "create table m1 partition of m for values in (1); "
        "create table m2 partition of m for values in (2) partition by list (id); "
        "create table m2a partition of m2 default");
    pair.on_source(
        "create table w (id int primary key, n int, home text) partition by range (id); "
        "create table w1 partition of w for values from (0) to (100); "
        "create publication p for table m, w (id, n) where (id <> 7) "
        "with (publish_via_partition_root = true); "
        "insert into m select i, i % 2 + 1, 'v' from generate_series(1, 10) i; "
        "insert into w select i, i, 'h' from generate_series(1, 10) i");
    pair.on_target("create table w (id int primary key, n int)");
    REQUIRE(pair.begin());
    CHECK(pair.count(pair.target.dsn, "w") == 9);
    pair.on_source("create table w2 partition of w for values from (100) to (200)");
    pair.on_source("create table m3 partition of m for values in (3)");
    pair.on_source(
        "insert into m values (1, 3, 'new'); update m set k = 2 where id = 2; delete from m where "
        "id = 4; insert into w values (100, 1, 'h'); update w set n = 0; update w set id = 101 "
        "where id = 1");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m"}) == "");
    const std::string w = "select id, n from w where id <> 7";
    CHECK(rows(pair.target.dsn, "select id, n from w") == rows(pair.source.dsn, w));
    CHECK(sqlstate_of(pair.target.dsn, "delete from m3") == "25006");
    pair.on_source("truncate m, w");
    pair.on_source("insert into m values (1, 1, 'again')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m"}) == "");
    CHECK(pair.count(pair.target.dsn, "w") == 0);
    CHECK_FALSE(has(events(pair), "drift"));
  }
}
