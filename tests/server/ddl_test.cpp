// DDL on the source amid the stream: what the target fits goes on, what it does not stops before a
// value is lost, says what to do, and goes on once that is done.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

bool stops(const Pair& pair, const std::string& words) {
  const bool paused = eventually(20s, [&] {
    const auto link = pair.link();  // one that was just told to go on is shown without an error
    return link["state"] == "paused" && !link["error"].is_null();
  });
  CAPTURE(pair.link().dump());
  return paused && pair.link()["error"].dump().find(words) != std::string::npos;
}

bool goes_on(const Pair& pair) {
  return pair.daemon.replctl({"resume"}).exit_code == 0 && pair.caught_up();
}

}  // namespace

TEST_SUITE("ddl") {
  TEST_CASE("a column that the target lacks stops the link until the target has it") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text)");
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    pair.on_source(
        "insert into t values (2, 'before'); alter table t add b int; "
        "insert into t values (3, 'after', 7); update t set b = 8 where id = 1");
    REQUIRE(stops(pair, "\\\"b\\\""));
    pair.on_target("alter table t add b int");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a column that is dropped on the source may stay on the target") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text, b int)");
    pair.on_source("insert into t values (1, 'x', 1)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (2, 'y', 2)");
    pair.on_source("alter table t drop b");
    pair.on_source("insert into t values (3, 'z'); update t set a = 'w' where id = 1");
    REQUIRE(pair.caught_up());
    pair.on_target("alter table t drop b");
    pair.on_source("insert into t values (4, 'q'); delete from t where id = 2");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a column that is renamed on the source is renamed on the target by hand") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1, 'x'); alter table t rename a to \"New name\"");
    pair.on_source("insert into t values (2, 'y'); update t set \"New name\" = 'z' where id = 1");
    REQUIRE(stops(pair, "New name"));
    pair.on_target("alter table t rename a to \"New name\"");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a type that grows on the source stops at the first value that does not fit") {
    Pair pair;
    pair.on_both("create table t (id int primary key, n smallint, v char(3))");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1, 1, 'abc')");
    pair.on_source("alter table t alter n type bigint, alter v type char(9)");
    pair.on_source("insert into t values (2, 2, 'ab')");
    REQUIRE(pair.caught_up());
    pair.on_source("insert into t values (3, 3000000000, 'ab')");
    REQUIRE(stops(pair, "22003"));
    pair.on_target("alter table t alter n type bigint");
    REQUIRE(goes_on(pair));
    pair.on_source("update t set v = 'longer' where id = 1");
    REQUIRE(stops(pair, "22001"));
    pair.on_target("alter table t alter v type char(9)");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a value added to an enum stops the link until the target has it too") {
    Pair pair;
    pair.on_both(
        "create type state as enum ('open'); create table t (id int primary key, s state)");
    REQUIRE(pair.begin());
    pair.on_source("alter type state add value 'closed'");
    pair.on_source("insert into t values (1, 'open')");
    pair.on_source("insert into t values (2, 'closed'), (3, 'closed')");
    REQUIRE(stops(pair, "22P02"));
    CHECK(pair.error_message().find("closed") == std::string::npos);
    CHECK(pair.on_target("select count(*) from t")[0][0].as<int>() == 1);
    pair.on_target("alter type state add value 'closed'");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("under FULL a key identifies rows only as long as the source has it") {
    const char* const changes[] = {
        "alter table t drop constraint t_pkey",
        "alter table t drop constraint t_pkey, add primary key (k)",
    };
    for (const std::string change : changes) {
      CAPTURE(change);
      Pair pair;
      pair.on_both(
          "create table t (id int primary key, k int not null, a text); "
          "alter table t replica identity full");
      pair.on_source("insert into t values (1, 1, 'x'), (2, 2, 'y')");
      REQUIRE(pair.begin());
      pair.on_source("update t set a = 'z' where id = 1; insert into t values (3, 3, 'c')");
      REQUIRE(pair.caught_up());
      pair.on_source(change);
      pair.on_source("update t set a = 'w' where id = 2");
      REQUIRE(pair.caught_up());
      pair.on_source("insert into t values (1, 9, 'of the same id')");
      pair.on_source("delete from t where k = 1; update t set id = 1 where k = 3");
      REQUIRE_MESSAGE(pair.paused_with("23505"), pair.link().dump());
      CHECK(pair.count(pair.target.dsn, "t where a = 'z'") == 1);
      pair.on_target(change);
      REQUIRE(goes_on(pair));
      CHECK(pair.difference({"public.t"}) == "");
      CHECK(pair.link()["tables"][0]["missing_rows"] == 0);
    }
  }

  TEST_CASE("prepared transactions come at their COMMIT PREPARED, aborted parts never") {
    PairOptions options;
    options.source_settings = {{"max_prepared_transactions", "10"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key, a text)");
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    pair.on_source("begin; insert into t values (2, 'prepared'); prepare transaction 'p1'");
    pair.on_source("begin; insert into t values (3, 'never'); prepare transaction 'p2'");
    pair.on_source(
        "begin; insert into t values (4, 'kept'); savepoint a; insert into t values (5, 'gone'); "
        "savepoint b; update t set a = 'gone' where id = 1; rollback to a; "
        "insert into t values (6, 'kept'); savepoint c; delete from t where id = 4; release c; "
        "insert into t values (4, 'again'); commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.on_target("select string_agg(id || a, ',' order by id) from t")[0][0].c_str() ==
          std::string("1x,4again,6kept"));
    run_alone(pair.source.dsn, "commit prepared 'p1'");
    run_alone(pair.source.dsn, "rollback prepared 'p2'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a prepared transaction that has locked a whole table does not hold up the others") {
    PairOptions options;
    options.source_settings = {{"max_prepared_transactions", "10"}};
    Pair pair(options);
    pair.on_both(
        "create table t (id int primary key); create table u (id int primary key); "
        "create table p (id int primary key) partition by range (id); "
        "create table p1 partition of p for values from (0) to (10)");
    REQUIRE(pair.begin());
    pair.on_source("begin; truncate t; truncate p1; prepare transaction 'locks'");
    pair.on_source("insert into u values (1)");
    CHECK_MESSAGE(pair.caught_up(20s), pair.link().dump());
    pair.daemon.kill9();
    run_alone(pair.source.dsn, "rollback prepared 'locks'");
    pair.on_source("insert into t values (1)");
    pair.on_source("begin; truncate t; truncate p1; prepare transaction 'locks'");
    pair.on_source("insert into u values (2)");
    pair.daemon.start();
    CHECK_MESSAGE(pair.caught_up(20s), pair.link().dump());
    CHECK(pair.difference({"public.u"}) == "");
    run_alone(pair.source.dsn, "commit prepared 'locks'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.u", "public.p"}) == "");
  }

  TEST_CASE("a partition that a prepared transaction has locked is waited for, and told") {
    PairOptions options;
    options.source_settings = {{"max_prepared_transactions", "10"}};
    Pair pair(options);
    pair.on_both(
        "create table p (id int primary key) partition by range (id); "
        "create table p1 partition of p for values from (0) to (10)");
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    pair.on_source("insert into p values (1)");
    pair.on_source("begin; truncate p1; prepare transaction 'locks'");
    pair.daemon.start();
    REQUIRE(eventually(40s, [&] {
      return pair.error_message() == "table \"public.p1\" is locked on the source";
    }));
    CHECK(pair.daemon.replctl({"events"}).out.find("is locked on the source") != std::string::npos);
    run_alone(pair.source.dsn, "rollback prepared 'locks'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.p"}) == "");
    CHECK(pair.count(pair.target.dsn, "p") == 1);
  }

  TEST_CASE(
      "TRUNCATE of several tables, with RESTART IDENTITY and CASCADE, empties the same ones") {
    Pair pair;
    pair.on_both(
        "create table a (id int generated by default as identity primary key, n int); "
        "create table b (id int primary key, a_id int references a); "
        "create table c (id int primary key)");
    const std::string fill =
        "insert into a (n) values (1), (2); insert into b values (1, 1); insert into c values (1)";
    pair.on_source(fill);
    REQUIRE(pair.begin());
    pair.on_source(
        "begin; insert into c values (2); truncate a, c restart identity cascade; "
        "insert into a (n) values (7); commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.c"}) == "");
    CHECK(pair.on_target("select count(*) from b")[0][0].as<int>() == 0);
  }

  TEST_CASE("RESTART IDENTITY starts the target's sequence over too, a plain TRUNCATE does not") {
    Pair pair;
    pair.on_both(
        "create table t (id int generated by default as identity (start with 10) primary key, "
        "n int)");
    pair.on_source("insert into t (n) values (1), (2)");
    REQUIRE(pair.begin());
    const auto next = [&] { return pair.on_target("select nextval('t_id_seq')")[0][0].as<int>(); };
    pair.on_target("select setval('t_id_seq', 500)");
    pair.on_source("truncate t; insert into t (n) values (3)");
    REQUIRE(pair.caught_up());
    CHECK(next() == 501);
    pair.on_source("truncate t restart identity; insert into t (n) values (4), (5)");
    REQUIRE(pair.caught_up());
    CHECK(next() == 10);
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a parent and its children by inheritance stay apart") {
    Pair pair;
    pair.on_both(
        "create table parent (id int primary key, a text); "
        "create table child (b int, primary key (id)) inherits (parent)");
    pair.on_source("insert into parent values (1, 'p'); insert into child values (1, 'c', 1)");
    REQUIRE(pair.begin());
    pair.on_source("insert into child values (2, 'c', 2); insert into parent values (2, 'p')");
    pair.on_source("update parent set a = a || '!' where id = 1");
    pair.on_source(
        "delete from only parent where id = 2; truncate only parent; "
        "insert into parent values (3, 'p')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.parent", "public.child"}) == "");
  }

  TEST_CASE("columns are added to the target where it is certain what its rows have in them") {
    PairOptions options;
    options.extra = "[apply]\non_new_column = \"add\"";
    Pair pair(options);
    pair.on_both(
        "create table t (id int primary key, a text); "
        "create table p (id int primary key, a text) partition by range (id); "
        "create table p1 partition of p for values from (0) to (10); "
        "create table p2 partition of p for values from (10) to (20)");
    pair.on_source(
        "insert into t select i, 'x' from generate_series(1, 5) i; "
        "insert into p select i, 'x' from generate_series(1, 15) i");
    REQUIRE(pair.begin());
    pair.on_source("alter table t add b int");
    pair.on_source("alter table t add \"C d\" text not null default 'it''s; {\"x\",\\}'");
    pair.on_source("alter table t alter \"C d\" set default 'other'");
    pair.on_source("alter table t add e int[] default '{1,2}'; alter table t alter e drop default");
    pair.on_source("alter table p add b numeric(5,2) default 1.50");
    pair.on_source("update t set a = 'y' where id = 2; update p set b = 2 where id = 12");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.p"}) == "");
    pair.on_source("insert into t (id) values (6); insert into p (id) values (3 + 13)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.p"}) == "");
    // Rows of the old shape that are applied after the column was added, in the same batch.
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    pair.on_source(
        "insert into t (id) values (7); "
        "alter table t add f int not null default 5; alter table t alter f drop default; "
        "alter table t add g timestamptz default now(); "
        "update t set a = 'v' where id = 1; insert into t (id, f) values (8, 6)");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.t", "public.p"}) == "");
  }

  TEST_CASE("what came before a column was renamed is applied before the link stops") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    pair.on_source("insert into t values (1, 'x')");
    pair.on_source("alter table t rename a to b");
    pair.on_source("insert into t values (2, 'y')");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(stops(pair, "\\\"b\\\""));
    CHECK(pair.count(pair.target.dsn, "t") == 1);
    pair.on_target("alter table t rename a to b");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("what is in flight is mended and applied before what the target does not fit stops") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text)");
    pair.on_source("insert into t values (1, 'x'), (2, 'x')");
    REQUIRE(pair.begin());
    pair.past_guard("delete from t where id = 1");
    const auto arrives = [&](const std::string& sql) {
      pair.on_source(sql);
      const std::string lsn = pair.on_source("select pg_current_wal_lsn()")[0][0].c_str();
      return eventually(20s, [&] {
        return pair.count(pair.source.superuser_dsn,
                          "pg_stat_replication where write_lsn >= '" + lsn + "'") == 1;
      });
    };
    {
      pqxx::connection connection(pair.target.dsn);
      pqxx::work blocker(connection);
      blocker.exec("lock table t in share mode");
      REQUIRE(arrives("update t set a = 'y'"));
      REQUIRE(eventually(20s, [&] {
        return pair.count(pair.target.dsn,
                          "pg_locks where relation = 't'::regclass and not granted") == 1;
      }));
      pair.on_source("alter table t rename a to b");
      REQUIRE(arrives("insert into t values (3, 'z')"));
      blocker.commit();
    }
    REQUIRE(stops(pair, "\\\"b\\\""));
    CHECK(pair.link()["error"]["transaction"] != "");
    CHECK(pair.on_target("select string_agg(id || a, ' ' order by id) from t")[0][0].c_str() ==
          std::string("1y 2y"));
    pair.on_target("alter table t rename a to b");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("no column is added whose value in the rows that are there is not certain") {
    const std::string plain = "create table t (id int primary key, a text)";
    const std::string parted = plain + " partition by range (id)";
    const std::string leaf = "; create table t1 partition of t for values from (0) to (10)";
    struct Doubt {
      std::string table;
      std::vector<std::string> ddl;
      std::string by_hand;
    };
    const Doubt doubts[] = {
        {plain, {"alter table t add b float8 default random()"}, "alter table t add b float8"},
        {plain,
         {"alter table t add b int generated by default as identity"},
         "alter table t add b int"},
        {plain, {"alter table t rename a to b"}, "alter table t rename a to b"},
        {plain,
         {"alter table t rename a to b", "alter table t add a text"},
         "alter table t rename a to b; alter table t add a text"},
        {plain,
         {"alter table t add b int not null default 5", "alter table t alter b drop default",
          "vacuum full t"},
         "alter table t add b int default 5"},
        {plain,
         {"alter table t add b text", "alter table t alter b type int using id * 7"},
         "alter table t add b int; set repld.apply = 'NONCE'; update t set b = id * 7"},
        {parted + leaf,
         {"alter table t add b int default 5", "alter table t alter b drop default",
          "create table t2 partition of t for values from (10) to (20)"},
         "alter table t add b int default 5"},
    };
    for (const Doubt& doubt : doubts) {
      CAPTURE(doubt.ddl.front());
      PairOptions options;
      options.extra = "[apply]\non_new_column = \"add\"";
      Pair pair(options);
      pair.on_both(doubt.table);
      pair.on_source("insert into t values (1, 'x'), (2, 'y')");
      REQUIRE(pair.begin());
      for (const std::string& ddl : doubt.ddl) {
        run_alone(pair.source.dsn, ddl);
      }
      pair.on_source("update t set id = 3 where id = 1");
      REQUIRE(stops(pair, "\\\"b\\\""));
      std::string by_hand = doubt.by_hand;
      const size_t nonce = by_hand.find("NONCE");
      if (nonce != std::string::npos) {
        by_hand.replace(nonce, 5,
                        pair.on_target("select guard_nonce from repld.progress")[0][0].c_str());
      }
      pair.on_target(by_hand);
      REQUIRE(goes_on(pair));
      const bool computed = doubt.ddl.front().find("random") != std::string::npos ||
                            doubt.ddl.front().find("identity") != std::string::npos;
      CHECK((computed || pair.difference({"public.t"}) == ""));
    }
  }
}
