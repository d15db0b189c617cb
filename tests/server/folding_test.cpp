// Many changes in one target transaction: folded, and still what the source has.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// While paused the source gathers a backlog, which goes in few batches then.
void in_one_backlog(const Pair& pair, const std::function<void()>& write) {
  REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
  REQUIRE(pair.daemon.wait_for_state("paused", 10s));
  write();
  REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
  REQUIRE(pair.caught_up());
}

bool drifted(const Pair& pair) {
  return pair.daemon.replctl({"events"}).out.find("drift") != std::string::npos;
}

}  // namespace

TEST_SUITE("folding") {
  TEST_CASE("a backlog of changes to the same rows ends as the source did") {
    Pair pair;
    pair.on_both(
        "create table t (id int primary key, a int, big text, b text); "
        "alter table t alter big set storage external; "
        "create table n (id int generated always as identity, k int primary key, v int); "
        "create table only_keys (a int, b int, primary key (a, b))");
    pair.on_source(
        "insert into t select i, i, repeat(md5(i::text), 200), 'x' from generate_series(1, 50) i; "
        "insert into n (k, v) select i, i from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    in_one_backlog(pair, [&] {
      for (int round = 0; round < 5; ++round) {
        pair.on_source(
            "update t set a = a + 1; update t set b = b || 'y' where id % 2 = 0; "
            "delete from t where id % 5 = 0; insert into n (k, v) values (100 + " +
            std::to_string(round) + ", 1); update n set v = v + 1");
        pair.on_source(
            "insert into t select i * 5, 0, repeat('z', 6000), null from generate_series(1, 10) i; "
            "update t set big = 'short' where id = 10; insert into only_keys values (1, " +
            std::to_string(round) +
            "); delete from n where k = 3; insert into n (k, v) "
            "values (3, 9)");
      }
      pair.on_source("delete from only_keys where b < 2; update t set id = 1000 where id = 7");
      pair.on_source("update t set a = 5 where id = 1000; insert into t values (7, 7, '', '')");
    });
    CHECK(pair.difference({"public.t", "public.n", "public.only_keys"}) == "");
    CHECK_FALSE(drifted(pair));
  }

  TEST_CASE("secondary unique values that move from row to row arrive without drift") {
    Pair pair;
    pair.on_both(
        "create table t (id int primary key, email text unique, n int); "
        "create extension if not exists btree_gist; "
        "create table e (id int primary key, during int4range, "
        "exclude using gist (during with &&))");
    pair.on_source(
        "insert into t select i, 'm' || i, 0 from generate_series(1, 40) i; "
        "insert into e select i, int4range(i * 10, i * 10 + 10) from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    in_one_backlog(pair, [&] {
      // A chain inside one transaction, then across transactions, then through a deleted row.
      pair.on_source(
          "begin; update t set email = 'tmp' where id = 1; update t set email = 'm1' where id = 2; "
          "update t set email = 'm2' where id = 1; commit");
      for (int i = 3; i < 30; ++i) {
        pair.on_source(fmt::format("update t set email = 'free{0}' where id = {0}", i));
        pair.on_source(fmt::format("update t set email = 'm{0}' where id = {0} + 1", i));
      }
      pair.on_source("delete from t where id = 35; insert into t values (99, 'm35', 1)");
      pair.on_source("update e set during = 'empty' where id = 5");
      pair.on_source("update e set during = int4range(50, 60) where id = 6");
      pair.on_source("update e set during = int4range(60, 70) where id = 5");
    });
    CHECK(pair.difference({"public.t", "public.e"}) == "");
    CHECK_FALSE(drifted(pair));
  }

  TEST_CASE("a key that is stored out of line keeps identifying its row") {
    Pair pair;
    pair.on_both(
        "create table t (k text primary key, n int, v text); "
        "alter table t alter k set storage external; alter table t alter v set storage external");
    pair.on_source(
        "insert into t select repeat(chr(64 + i), 2300), i, repeat('v', 5000) "
        "from generate_series(1, 5) i");
    REQUIRE(pair.begin());
    pair.on_source("update t set n = n + 10");
    in_one_backlog(pair, [&] {
      pair.on_source("update t set n = n + 10");
      pair.on_source("update t set n = n + 10 where n % 2 = 0; delete from t where n % 10 = 3");
      pair.on_source("update t set k = repeat('Z', 2300) where n % 10 = 1");
    });
    CHECK(pair.difference({"public.t"}) == "");
    CHECK_FALSE(drifted(pair));
  }

  TEST_CASE("keys that differ as text and are equal to their type are one row") {
    Pair pair;
    pair.on_both(
        "create table t (k numeric primary key, v int); create extension if not exists citext; "
        "create table c (k citext primary key, v int)");
    pair.on_source("insert into t values (1.0, 1), (2, 2); insert into c values ('Ab', 1)");
    REQUIRE(pair.begin());
    in_one_backlog(pair, [&] {
      pair.on_source("delete from t where k = 1; insert into t values (1.00, 5)");
      pair.on_source("delete from c where k = 'ab'; insert into c values ('aB', 2)");
      pair.on_source("update t set v = v + 1; update c set v = v + 1");
      pair.on_source("update t set k = 2.000 where k = 2; update c set k = 'AB'");
    });
    CHECK(pair.difference({"public.t", "public.c"}) == "");
    CHECK_FALSE(drifted(pair));
  }

  TEST_CASE("partitions whose columns stand in another order are folded all the same") {
    Pair pair;
    pair.on_both(
        "create table p (id int, k int, v text, primary key (id, k)) partition by list (k); "
        "create table p1 partition of p for values in (1); "
        "create table p2 (v text, k int not null, junk int, id int not null); "
        "alter table p2 drop column junk; alter table p attach partition p2 for values in (2)");
    REQUIRE(pair.begin());
    in_one_backlog(pair, [&] {
      pair.on_source("insert into p select i, 1 + i % 2, 'x' from generate_series(1, 40) i");
      pair.on_source("update p set v = 'y' where id < 20");
      pair.on_source("update p set k = 3 - k where id % 3 = 0");
      pair.on_source("delete from p where id > 30; truncate p1");
      pair.on_source(
          "insert into p values (1, 1, 'again'), (2, 2, 'again') on conflict do nothing");
    });
    CHECK(pair.difference({"public.p"}) == "");
    CHECK_FALSE(drifted(pair));
  }

  TEST_CASE("rows that are missing or there already are mended out of a folded batch") {
    Pair pair;
    pair.on_both("create table t (id int primary key, v int)");
    pair.on_source("insert into t select i, 0 from generate_series(1, 100) i");
    REQUIRE(pair.begin());
    pair.past_guard("delete from t where id in (5, 50); insert into t values (500, 1)");
    in_one_backlog(pair, [&] {
      pair.on_source("update t set v = 1");
      pair.on_source("insert into t select i, 2 from generate_series(400, 600) i");
    });
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(drifted(pair));
    CHECK(pair.link()["tables"][0]["missing_rows"].get<int>() == 2);
  }

  TEST_CASE("a table whose constraints wait for the commit can still be truncated") {
    Pair pair;
    pair.on_both(
        "create table d (id int primary key, u int, unique (u) deferrable); "
        "create table other (id int primary key, u int unique deferrable initially deferred)");
    const std::string rows = " select i, i from generate_series(1, 10) i";
    pair.on_source("insert into d" + rows + "; insert into other" + rows);
    REQUIRE(pair.begin());
    pair.on_source(
        "begin; update other set u = 2 where id = 1; update d set u = 11 - u; truncate d; "
        "insert into d values (1, 1), (2, 2); update other set u = 1 where id = 2; "
        "update d set u = 3 - u; commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.d", "public.other"}) == "");
    CHECK_FALSE(drifted(pair));
  }

  TEST_CASE("a key that prints in another way after ALTER amid a transaction is still one row") {
    Pair pair;
    pair.on_source("create table k (k numeric(6,1) primary key, v text, big text)");
    pair.on_target("create table k (k numeric primary key, v text, big text)");
    pair.on_both("alter table k alter big set storage external");
    pair.on_source("insert into k values (1, 'old', repeat('x', 9000))");
    REQUIRE(pair.begin());
    pair.on_source(
        "begin; update k set v = 'first', big = repeat('y', 9000) where k = 1; "
        "alter table k alter k type numeric(6,2); update k set v = 'second' where k = 1; commit");
    REQUIRE(pair.caught_up());
    CHECK(std::string(pair.on_target("select v from k")[0][0].c_str()) == "second");
  }

  TEST_CASE("a key whose column has another collation than its type is compared by the column's") {
    Pair pair;
    pair.on_both(
        "create domain d as text collate \"C\"; "
        "create table c (k d collate \"en-x-icu\" primary key, n int); "
        "create table t (k text collate \"C\" primary key, n int)");
    pair.on_source("insert into c select i, i from generate_series(1, 9) i");
    pair.on_source("insert into t select i, i from generate_series(1, 9) i");
    REQUIRE(pair.begin());
    pair.on_source("update c set n = n + 1; update t set n = n + 1");
    pair.on_source("update c set n = n + 1 where k = '3'; delete from c where k = '4'");
    pair.on_source(
        "update t set k = k || 'x' where k < '3'; update c set k = k || 'x' where k < '3'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.c", "public.t"}) == "");
    CHECK_FALSE(drifted(pair));
  }

  TEST_CASE("many rows are found by key however small their table was when it was looked at") {
    Pair pair;
    pair.on_both("create table q (id int primary key, n int)");
    as_admin(pair.target, "alter table q set (autovacuum_enabled = off)");
    pair.on_source("insert into q values (1, 0), (2, 0)");
    REQUIRE(pair.begin());
    run_alone(pair.target.superuser_dsn, "vacuum analyze public.q");
    for (int i = 0; i < 8; ++i) {
      pair.on_source("update q set n = n + 1");
    }
    REQUIRE(pair.caught_up());
    pair.on_source("insert into q select i, 0 from generate_series(3, 60000) i");
    pair.on_source("update q set n = n + 1 where id <= 10001");
    CHECK(pair.caught_up(20s));
    CHECK(pair.difference({"public.q"}) == "");
  }
}
