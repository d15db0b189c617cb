// What tells a row from another on the source, in each of the ways PostgreSQL knows.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

TEST_SUITE("identity") {
  TEST_CASE("an index other than the primary key identifies rows, and may take the key's place") {
    Pair pair;
    pair.on_both(
        "create table t (id int primary key, code text not null, part int not null, v text); "
        "create unique index t_code on t (code, part)");
    pair.on_source(
        "alter table t replica identity using index t_code; "
        "insert into t select i, 'c' || i, 1, 'x' from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    pair.on_source("update t set v = 'y' where id < 5; update t set id = id + 100 where id > 15");
    pair.on_source(
        "update t set code = code || '!', part = 2 where id = 7; delete from t where id = 8");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    pair.on_source("alter table t replica identity default; update t set v = 'z' where id = 1");
    pair.on_source("update t set code = 'by key' where id = 2; delete from t where id = 3");
    REQUIRE(pair.caught_up());
    pair.on_source("alter table t replica identity full; update t set v = null where id = 1");
    pair.on_source("update t set id = 1000 where id = 2; delete from t where id = 4");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("drift") == std::string::npos);
  }

  TEST_CASE("a table without a key under FULL keeps its duplicates and NULLs apart") {
    Pair pair;
    pair.on_both("create table k (a int, b numeric, c text)");
    pair.on_source(
        "alter table k replica identity full; "
        "insert into k values (1, 1.0, 'x'), (1, 1.0, 'x'), (1, 1.00, 'x'), (null, null, null), "
        "(null, null, null), (1, null, '')");
    REQUIRE(pair.begin());
    // One of two equal rows, each time.
    pair.on_source("delete from k where ctid = (select min(ctid) from k where a is null)");
    pair.on_source("update k set c = 'y' where ctid = (select min(ctid) from k where a = 1)");
    pair.on_source("update k set b = 1.000 where b::text = '1.00'");
    pair.on_source("insert into k select 2, i, 'many' from generate_series(1, 300) i");
    pair.on_source("begin; insert into k values (9, 9, '9'); delete from k where a = 9; commit");
    pair.on_source("update k set c = null where a = 2 and b > 250; delete from k where b < 10");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.k"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("drift") == std::string::npos);
  }

  TEST_CASE("a key that is deferrable on the source still swaps") {
    Pair pair;
    pair.on_both(
        "create table t (id int not null, n int, primary key (id) deferrable initially deferred); "
        "create unique index t_n on t (n); alter table t alter n set not null");
    pair.on_source(
        "alter table t replica identity using index t_n; "
        "insert into t values (1, 10), (2, 20), (3, 30)");
    REQUIRE(pair.begin());
    pair.on_source(
        "begin; update t set id = 2 where n = 10; update t set id = 1 where n = 20; commit");
    pair.on_source("update t set id = id + 1");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a key that is deferrable identifies nothing: under FULL the whole row does") {
    Pair pair;
    pair.on_both("create table t (id int, n int, primary key (id) deferrable initially deferred)");
    pair.on_source(
        "alter table t replica identity full; insert into t select i, i from generate_series(1, 6) "
        "i");
    REQUIRE(pair.begin());
    pair.on_source(
        "begin; update t set id = 2 where n = 1; update t set id = 1 where n = 2; commit");
    // For a while there are two rows that are alike.
    pair.on_source(
        "begin; update t set id = 4, n = 4 where n = 3; "
        "update t set id = 3, n = 30 where ctid = (select min(ctid) from t where id = 4); commit");
    pair.on_source("update t set id = id + 1");
    pair.on_source(
        "begin; insert into t values (7, 70); delete from t where id = 7 and n = 6; commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.count(pair.target.dsn, "t") == 6);
    CHECK(pair.daemon.replctl({"events"}).out.find("drift") == std::string::npos);
  }

  TEST_CASE("a very wide table and names in other letters arrive") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.*\", \"Шкала*.*\"]";
    Pair pair(options);
    std::string columns = "id int primary key";
    std::string sets;
    for (int i = 1; i < 1600; ++i) {
      columns += ", c" + std::to_string(i) + " int";
      sets += (i > 1 ? ", c" : "c") + std::to_string(i) + " = id";
    }
    pair.on_both("create table wide (" + columns + ")");
    pair.on_both(
        "create schema \"Шкала \"\"1\"\"\"; "
        "create table \"Шкала \"\"1\"\"\".\"Имя.с точкой\" (\"№\" int primary key, \"Ключ\" text)");
    pair.on_source("insert into wide (id, c1599) select i, i from generate_series(1, 3) i");
    REQUIRE(pair.begin());
    pair.on_source("insert into wide (id, c2) select i, i from generate_series(4, 30) i");
    pair.on_source("update wide set " + sets + " where id < 20");
    pair.on_source("delete from wide where id % 7 = 0");
    pair.on_source("insert into \"Шкала \"\"1\"\"\".\"Имя.с точкой\" values (1, 'я'), (2, '')");
    pair.on_source("update \"Шкала \"\"1\"\"\".\"Имя.с точкой\" set \"Ключ\" = 'ю'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.wide", "\"Шкала \"\"1\"\"\".\"Имя.с точкой\""}) == "");
  }
}
