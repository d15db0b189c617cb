// Each kind of change arrives, under the hard conditions of its kind.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

TEST_SUITE("changes") {
  TEST_CASE("inserts, updates, deletes and rollbacks arrive with columns matched by name") {
    Pair pair;
    pair.on_source("create table t (id int primary key, a text, b numeric(10,2))");
    pair.on_target(
        "create table t (extra text default 'x', b numeric(10,2), a text, "
        "id int primary key)");
    pair.on_source("insert into t select i, 'row ' || i, i from generate_series(1, 100) i");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (101, null, -1.5), (102, '', 0)");
    pair.on_source("update t set a = a || '!' where id % 2 = 0");
    pair.on_source("delete from t where id % 3 = 0");
    pair.on_source(
        "begin; insert into t values (500, 'never', 1); savepoint s; "
        "delete from t; rollback to s; rollback");
    REQUIRE(pair.caught_up());
    const std::string rows =
        "select count(*), md5(string_agg(id || '|' || coalesce(a, '-') || '|' "
        "|| b, ',' order by id)) from t";
    CHECK(pair.on_source(rows)[0][0].as<int>() == 68);
    CHECK(std::string(pair.on_source(rows)[0][1].c_str()) == pair.on_target(rows)[0][1].c_str());
    CHECK(pair.on_target("select count(*) from t where extra = 'x'")[0][0].as<int>() == 68);
  }

  TEST_CASE("an update that leaves a large value alone leaves it alone on the target") {
    Pair pair;
    pair.on_both(
        "create table t (id int primary key, big text, note text); "
        "create table f (id int primary key, big text, note text); "
        "alter table t alter big set storage external; "
        "alter table f alter big set storage external");
    pair.on_source("alter table f replica identity full");
    for (const char* table : {"t", "f"}) {
      pair.on_source(std::string("insert into ") + table +
                     " select i, repeat(md5(i::text), 4000), 'a' from generate_series(1, 3) i");
    }
    REQUIRE(pair.begin());
    pair.on_source("update t set note = 'b' where id < 3; update f set note = 'b' where id < 3");
    pair.on_source("update t set big = big || 'x' where id = 3");
    pair.on_source("update t set id = 30 where id = 2; update f set id = 30 where id = 2");
    pair.on_source(
        "begin; insert into t values (9, repeat('q', 9000), 'a'); "
        "update t set note = 'c' where id = 9; commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.f"}) == "");
    CHECK(pair.on_target("select min(length(big)) from t where id < 4")[0][0].as<int>() == 128000);
  }

  TEST_CASE("a key change is an update of the key, also in chains") {
    Pair pair;
    pair.on_both("create table t (a int, b text, c text, primary key (a, b))");
    pair.on_source("insert into t select i, 'k', 'v' || i from generate_series(1, 50) i");
    REQUIRE(pair.begin());
    pair.on_source("update t set a = a + 1000");
    pair.on_source(
        "begin; update t set b = 'z' where a = 1001; update t set a = 7 where b = 'z'; "
        "insert into t values (1001, 'k', 'again'); commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("truncate arrives: of one table, of several, of a leaf, of a partitioned table") {
    Pair pair;
    pair.on_both(
        "create table a (id int primary key); create table b (id int primary key, "
        "a_id int references a); create table p (id int, k int, primary key (id, k)) "
        "partition by list (k); create table p1 partition of p for values in (1); "
        "create table p2 partition of p for values in (2)");
    const std::string fill =
        "insert into a values (1), (2); insert into b values (1, 1); "
        "insert into p values (1, 1), (2, 2), (3, 2)";
    pair.on_source(fill);
    REQUIRE(pair.begin());
    pair.on_source("truncate p2");
    REQUIRE(pair.caught_up());
    CHECK(pair.on_target("select count(*) from p")[0][0].as<int>() == 1);
    pair.on_source("truncate a, b; insert into p values (9, 2)");
    REQUIRE(pair.caught_up());
    CHECK(pair.on_target("select (select count(*) from a) + (select count(*) from b)")[0][0]
              .as<int>() == 0);
    pair.on_source("truncate p; " + fill);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.p"}) == "");
  }

  TEST_CASE("rows move between partitions, and a partition made while running is made there too") {
    Pair pair;
    pair.on_both(
        "create table m (id int, at date, body text, primary key (id, at)) "
        "partition by range (at); create table m_01 partition of m "
        "for values from ('2026-01-01') to ('2026-02-01'); create table m_02 "
        "partition of m for values from ('2026-02-01') to ('2026-03-01')");
    pair.on_source("insert into m select i, '2026-01-05', 'x' from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    pair.on_source("update m set at = '2026-02-07' where id <= 5");
    pair.on_source(
        "begin; create table m_03 partition of m for values from ('2026-03-01') to "
        "('2026-04-01'); insert into m values (100, '2026-03-09', 'new'); commit");
    pair.on_source("insert into m_03 values (101, '2026-03-10', 'direct')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m"}) == "");
    CHECK(pair.on_target("select count(*) from m_03")[0][0].as<int>() == 2);
    CHECK(sqlstate_of(pair.target.dsn, "delete from m_03") == "25006");
  }

  TEST_CASE("a table without a key is followed row by row, nulls and duplicates included") {
    Pair pair;
    pair.on_both("create table k (a int, b text, j json, p point)");
    pair.on_source("alter table k replica identity full");
    pair.on_source(
        "insert into k values (1, 'x', '{\"a\": 1}', '(1,2)'), "
        "(1, 'x', '{\"a\": 1}', '(1,2)'), (null, null, null, null), (2, '', '[]', null)");
    REQUIRE(pair.begin());
    pair.on_source("delete from k where ctid = (select min(ctid) from k where a = 1)");
    pair.on_source("update k set b = 'y' where a is null; update k set a = 3 where b = ''");
    pair.on_source("insert into k values (1, 'x', '{\"a\": 1}', '(1,2)'), (4, 'n', null, '(0,0)')");
    pair.on_source("update k set j = null where a = 4; delete from k where a = 3");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.k"}) == "");
    CHECK(pair.on_target("select count(*) from k")[0][0].as<int>() == 4);
  }

  TEST_CASE("generated and identity columns keep the source's values") {
    Pair pair;
    pair.on_both(
        "create table g (id int generated always as identity primary key, n int, "
        "twice int generated always as (n * 2) stored)");
    pair.on_source("insert into g (n) select i from generate_series(1, 10) i");
    REQUIRE(pair.begin());
    pair.on_source("insert into g (n) values (50)");
    pair.on_source("insert into g (id, n) overriding system value values (1000, 7)");
    pair.on_source("update g set n = n + 1 where id < 5; delete from g where id = 6");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.g"}) == "");
  }

  TEST_CASE("an identity that the target always generates takes the source's new values") {
    Pair pair;
    pair.on_both(
        "create table g (k int primary key, a text, n int, "
        "seq bigint generated always as identity, "
        "twice int generated always as (n * 2) stored); "
        "alter table g alter a set storage external; "
        "create table h (id int generated always as identity primary key, a text, n int); "
        "alter table h alter a set storage external; "
        "create table f (id int generated always as identity, a text); "
        "alter table f replica identity full; "
        "create table p (k int primary key, a text) partition by range (k); "
        "create table p1 partition of p default");
    pair.on_source("alter table p add id int not null");
    pair.on_target("alter table p add id int not null generated always as identity");
    pair.on_target("alter table g add note text default 'new'; alter table h add note text");
    pair.on_source(
        "insert into g (k, a, n) select i, repeat(md5(i::text), 1000), i "
        "from generate_series(1, 20) i; insert into h (a, n) select a, n from g; "
        "insert into f (a) values ('x'), ('x'), ('y'); insert into p values (1, 'x', 1)");
    REQUIRE(pair.begin());
    pair.past_guard("update g set note = 'kept'; update h set note = 'kept'");
    pair.on_source("update g set seq = default, n = n + 1 where k = 2");
    pair.on_source("update g set seq = default where k < 10");
    pair.on_source("update h set id = default where id = 3; update h set id = default, n = 0");
    pair.on_source("update f set id = default where id = 1; update p set id = 70000 + k");
    pair.on_source(
        "insert into g (k) values (50); update g set seq = default; delete from g where k = 4");
    pair.on_source("update h set n = 7 where n = 0; insert into p values (2, 'y', 5)");
    REQUIRE_MESSAGE(pair.caught_up(), pair.link().dump());
    CHECK(pair.difference({"public.f", "public.p"}) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(pair.count(pair.target.dsn, "g where note = 'kept'") == 19);
    CHECK(pair.count(pair.target.dsn, "h where note = 'kept'") == 20);
    CHECK(pair.daemon.replctl({"events"}).out.find("missing") == std::string::npos);
    // Rows that are not there come back, with the value that nothing streams.
    pair.past_guard("delete from g where k = 5; delete from h where n = 7 and id % 2 = 0");
    pair.on_source("update g set seq = default; update h set id = default");
    REQUIRE_MESSAGE(pair.caught_up(), pair.link().dump());
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("values of awkward types arrive as they are") {
    Pair pair;
    pair.on_both(
        "create type mood as enum ('Sad', 'so so'); create domain pos as int "
        "check (value > 0); create table v (id int primary key, m mood, d pos, "
        "arr text[], js jsonb, j json, by bytea, ts timestamptz, iv interval, "
        "nu numeric, fl float8, r int4range, u uuid, mo money, x xml, bi bit(3))");
    const std::string row =
        "'so so', 5, array['a,b', null, '', 'q\"'], '{\"k\": null, \"z\": [1.0, 1.00]}', "
        "'{\"a\":1,\"a\":2}', '\\x00ff', '2026-03-29 02:30:00+02', '-1 mon 3 days -04:05:06', "
        "'NaN', '-0', '[1,5)', '8f14e45f-ceea-467f-9a4b-3f1f4e2d6b11', 12.34, '<a>&amp;</a>', "
        "'101'";
    pair.on_source("insert into v values (1, " + row + ")");
    REQUIRE(pair.begin());
    pair.on_source("insert into v values (2, " + row +
                   "), (3, null, null, null, 'null', null, '', "
                   "'infinity', '0', 123456789012345678901234567890123456789.5, 'Infinity', "
                   "'empty', null, -0.01, null, null)");
    pair.on_source("update v set fl = 0.1 + 0.2, ts = '-infinity' where id = 2");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.v"}) == "");
  }

  TEST_CASE("hostile names of tables and columns are only names") {
    Pair pair;
    pair.on_both(
        "create table \"Ta\"\"ble'; drop\" (\"I d\" int primary key, \"sel'ect\" text, "
        "\"\xC3\xA9t\xC3\xA9\" text)");
    pair.on_source("insert into \"Ta\"\"ble'; drop\" values (1, 'a', 'b')");
    REQUIRE(pair.begin());
    pair.on_source("insert into \"Ta\"\"ble'; drop\" values (2, 'x''y', '\\')");
    pair.on_source("update \"Ta\"\"ble'; drop\" set \"sel'ect\" = null where \"I d\" = 1");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.\"Ta\"\"ble'; drop\""}) == "");
  }

  TEST_CASE("constraints that are checked at commit are checked at commit") {
    Pair pair;
    pair.on_both("create table d (id int primary key, n int unique deferrable initially deferred)");
    pair.on_source("insert into d values (1, 1), (2, 2)");
    REQUIRE(pair.begin());
    pair.on_source(
        "begin; update d set n = 2 where id = 1; update d set n = 1 where id = 2; commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.d"}) == "");
  }

  TEST_CASE("domains identify rows, whatever they are over") {
    Pair pair;
    pair.on_both(
        "create type mood as enum ('sad', 'so so', 'glad'); create domain dm as mood; "
        "create domain ddm as dm check (value::mood <> 'glad'); create domain da as int[]; "
        "create domain dr as int4range; create domain dv as varchar(20); "
        "create table e (m ddm primary key, n int); "
        "create table w (m dm, a da, r dr, v dv, n int, primary key (m, a, r, v)); "
        "create table ma (m dm[] primary key, n int); create table f (m dm primary key, n int)");
    pair.on_source(
        "alter table f replica identity full; insert into e values ('sad', 1); "
        "insert into f values ('glad', 1)");
    REQUIRE(pair.begin());
    pair.on_source(
        "insert into e values ('so so', 2); update e set n = 5; "
        "insert into w values ('sad', '{1,2}', '[1,3)', 'x', 1), ('glad', '{}', 'empty', '', 1); "
        "insert into ma values ('{sad,glad}', 1); insert into f values ('sad', 1)");
    pair.on_source(
        "delete from e where m::mood = 'sad'; update e set m = 'sad'; update w set n = 2; "
        "update w set m = 'so so' where m::mood = 'glad'; delete from w where m::mood = 'sad'; "
        "update ma set n = 2; update f set n = n + 1; delete from f where m::mood = 'sad'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.e", "public.w", "public.ma", "public.f"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("missing") == std::string::npos);
  }
}
