// Rows that an UPDATE did not find, and did not bring whole, come from the source by themselves.
#include <doctest/doctest.h>

#include <csignal>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// Stored out of line: an UPDATE that leaves it alone does not send it.
constexpr const char* kLarge =
    "(select string_agg(md5(g::text), '') from generate_series(1, 300) g)";

constexpr const char* kTable =
    "create table t (id int primary key, n int, big text); "
    "alter table t alter big set storage external";

void fill(const Pair& pair, int rows) {
  pair.on_source("insert into t select i, 0, i || " + std::string(kLarge) +
                 " from generate_series(1, " + std::to_string(rows) + ") i");
}

// Row 2 is queued, and the daemon dies before it has brought it.
void miss_a_row_and_die(Pair& pair) {
  REQUIRE(pair.begin());
  pair.daemon.terminate();
  pair.daemon.start("repair.before_commit=kill");
  REQUIRE(pair.caught_up());
  pair.past_guard("delete from t where id = 2");
  pair.on_source("update t set n = 1 where id = 2");
  CHECK(pair.daemon.wait_for_death() == 128 + SIGKILL);
}

bool says(const Pair& pair, const std::string& event) {
  return eventually(
      20s, [&] { return pair.daemon.replctl({"events"}).out.find(event) != std::string::npos; });
}

}  // namespace

TEST_SUITE("refetch") {
  TEST_CASE("a row that was missing when a part of it was updated comes from the source") {
    Pair pair;
    pair.on_both(kTable);
    fill(pair, 5);
    REQUIRE(pair.begin());
    pair.past_guard("delete from t where id in (2, 3, 4)");
    pair.on_source("update t set n = 1");
    pair.on_source(
        "update t set id = 30 where id = 3; update t set n = 2 where id = 30; "
        "delete from t where id = 4; update t set n = 7 where id = 1");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.count(pair.target.dsn, "repld.refetch") == 0);
    CHECK(pair.link()["tables"][0]["missing_rows"] >= 3);
    CHECK(pair.link()["state"] == "streaming");
    CHECK(says(pair, "rows that were missing are brought from the source"));
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("a missing row is brought by a key of several columns, whatever they hold") {
    Pair pair;
    pair.on_both(
        "create domain code as text; create type colour as enum ('Red', 'bl ue'); "
        "create table k (c code, p char(5), at timestamptz, f float8, e colour, n int, big text, "
        "primary key (c, p, at, f, e)) partition by list (e); "
        "create table k1 partition of k for values in ('Red'); "
        "create table k2 partition of k default; alter table k1 alter big set storage external; "
        "alter table k2 alter big set storage external; "
        "create table u (a text not null, b numeric not null, n int, big text); "
        "create unique index u_key on u (b, a); alter table u alter big set storage external");
    pair.on_source(
        "alter table u replica identity using index u_key; "
        "insert into k select v.*, 0, " +
        std::string(kLarge) +
        " from (values (E'it''s \\\\ {a,\"b\"}\\n', 'x', timestamptz '2026-03-29 01:30:00.5+00', "
        "float8 '-0', colour 'bl ue'), ('NULL', 'y  ', 'infinity', 'NaN', 'Red'), "
        "('', '', '-infinity', 0.1, 'Red'), ('other', 'z', 'epoch', 1, 'Red')) v; "
        "insert into u select 'a ' || i, i + 0.50, 0, " +
        std::string(kLarge) + " from generate_series(1, 3) i");
    REQUIRE(pair.begin());
    pair.past_guard("delete from k where c <> 'other'; delete from u where b < 3");
    pair.on_source("update k set n = 1; update u set n = 1");
    pair.on_source("update k set e = 'Red' where e = 'bl ue'; update u set b = 9.00 where b = 1.5");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.k", "public.u"}) == "");
    CHECK(pair.count(pair.target.dsn, "k") == 4);
  }

  TEST_CASE("a daemon that dies before it has brought a missing row brings it at its next start") {
    Pair pair;
    pair.on_both(kTable);
    fill(pair, 3);
    miss_a_row_and_die(pair);
    CHECK(pair.count(pair.target.dsn, "t") == 2);
    CHECK(pair.count(pair.target.dsn, "repld.refetch") == 1);
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.count(pair.target.dsn, "repld.refetch") == 0);
  }

  TEST_CASE(
      "missing rows of a transaction in parts are brought, and a TRUNCATE empties the table") {
    PairOptions options;
    options.extra = "[apply]\nmemory_mb = 16\n";
    Pair pair(options);
    pair.on_both(kTable);
    fill(pair, 400);
    REQUIRE(pair.begin());
    pair.past_guard("delete from t where id % 2 = 0");
    pair.on_source(
        "update t set n = 1; insert into t select i, 0, repeat(md5(i::text), 100) "
        "from generate_series(1001, 2500) i");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    pair.past_guard("delete from t where id < 10");
    pair.on_source("update t set n = 2 where id < 10; truncate t");
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "t") == 0);
    CHECK(pair.count(pair.target.dsn, "repld.refetch") == 0);
  }

  TEST_CASE("missing rows are told apart where partitions have their columns in other orders") {
    Pair pair;
    pair.on_both(
        "create table t (a int, b int, k int, n int, big text, primary key (a, b, k)) "
        "partition by list (k); create table t1 partition of t for values in (1); "
        "create table t2 (b int not null, a int not null, k int not null, n int, big text); "
        "alter table t attach partition t2 for values in (2); "
        "alter table t1 alter big set storage external; "
        "alter table t2 alter big set storage external");
    pair.on_source("insert into t select a, 3 - a, 1, 0, " + std::string(kLarge) +
                   " from generate_series(1, 2) a; insert into t select a, 3 - a, 2, 0, " + kLarge +
                   " from generate_series(1, 2) a");
    REQUIRE(pair.begin());
    pair.past_guard("delete from t");
    pair.on_source("update t set n = 1");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t1", "public.t2"}) == "");
    CHECK(pair.count(pair.target.dsn, "t") == 4);
  }

  TEST_CASE("a missing row is brought although its table was renamed meanwhile") {
    Pair pair;
    pair.on_both(kTable);
    fill(pair, 3);
    miss_a_row_and_die(pair);
    pair.on_both("alter table t rename to u");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.u"}) == "");
    CHECK(pair.count(pair.target.dsn, "repld.refetch") == 0);
  }

  TEST_CASE("a table whose rows cannot be brought is told, keeps no other back, and is repaired") {
    Pair pair;
    pair.on_both(
        "create table a (id int primary key, u int unique, n int, big text); create table z (id "
        "int primary key, n int, big text); alter table a alter big set storage external; "
        "alter table z alter big set storage external");
    pair.on_source("insert into a select i, i, 0, " + std::string(kLarge) +
                   " from generate_series(1, 3) i; insert into z select i, 0, " + kLarge +
                   " from generate_series(1, 3) i");
    REQUIRE(pair.begin());
    pair.past_guard("delete from a where id = 2; update a set u = 2 where id = 1");
    pair.past_guard("delete from z where id = 2");
    pair.on_source("update a set n = 1 where id = 2; update z set n = 1 where id = 2");
    CHECK(eventually(30s, [&] { return pair.difference({"public.z"}).empty(); }));
    CHECK(says(pair, "rows that are missing are not brought yet, of public.a"));
    CHECK(pair.link()["incomplete"] == true);
    CHECK_FALSE(pair.caught_up(2s));
    CHECK(pair.daemon.replctl({"repair"}).exit_code == 0);
    CHECK(pair.difference({"public.a", "public.z"}) == "");
    REQUIRE(pair.caught_up(120s));
    CHECK(pair.link()["state"] == "streaming");
  }

  TEST_CASE("without a guard a row that the application removed comes back whole") {
    PairOptions options;
    options.link_extra = "guard = false";
    Pair pair(options);
    pair.on_both(kTable);
    fill(pair, 3);
    REQUIRE(pair.begin());
    pair.on_target("delete from t where id = 2");
    pair.on_source("update t set n = 1 where id = 2");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.link()["tables"][0]["missing_rows"] == 0);
  }

  TEST_CASE("a row that is there and swallows an update of a part of it stops the link") {
    Pair pair;
    pair.on_both(kTable);
    fill(pair, 3);
    REQUIRE(pair.begin());
    pair.on_target(
        "create function swallow() returns trigger language plpgsql as $$ begin return null; end "
        "$$; create trigger swallow before update on t for each row execute function swallow()");
    pair.on_source("update t set n = 1 where id = 2");
    REQUIRE(pair.paused_with("22012", 60s));
    CHECK(pair.count(pair.target.dsn, "repld.refetch") == 0);
    pair.on_target("drop trigger swallow on t");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
