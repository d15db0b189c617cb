// Partitions that appear while running, and targets that divide a table in another way.
#include <doctest/doctest.h>

#include <thread>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kByMonth =
    "create table m (id int, at date, body text, primary key (id, at)) partition by range (at); "
    "create table m_1 partition of m for values from ('2026-01-01') to ('2026-02-01')";

const std::string kThreeMonths =
    "begin; insert into m select i, '2026-01-05', repeat(md5(i::text), 20) "
    "from generate_series(1, 15000) i; "
    "create table m_2 partition of m for values from ('2026-02-01') to ('2026-03-01'); "
    "insert into m select i, '2026-02-05', repeat(md5(i::text), 20) "
    "from generate_series(1, 5000) i; "
    "create table m_3 partition of m for values from ('2026-03-01') to ('2026-04-01'); "
    "insert into m values (1, '2026-03-05', 'x'); commit";

}  // namespace

TEST_SUITE("partitions") {
  TEST_CASE("partitions made in the middle of a transaction that goes in one batch") {
    Pair pair;
    pair.on_both(kByMonth);
    REQUIRE(pair.begin());
    pair.on_source(kThreeMonths);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m"}) == "");
    CHECK(sqlstate_of(pair.target.dsn, "delete from m_3") == "25006");
  }

  TEST_CASE("partitions made in the middle of a transaction that goes in parts") {
    PairOptions options;
    options.extra = "[apply]\nmemory_mb = 16";
    Pair pair(options);
    pair.on_both(kByMonth);
    REQUIRE(pair.begin());
    pair.on_source(kThreeMonths);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m"}) == "");
    CHECK(sqlstate_of(pair.target.dsn, "delete from m_3") == "25006");
  }

  TEST_CASE("the same where the target has one partition for all of them") {
    PairOptions options;
    options.extra = "[apply]\nmemory_mb = 16";
    Pair pair(options);
    pair.on_source(kByMonth);
    pair.on_target(
        "create table m (id int, at date, body text, primary key (id, at)) "
        "partition by range (at); create table m_all partition of m default");
    REQUIRE(pair.begin());
    pair.on_source(kThreeMonths);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m"}) == "");
    pair.on_source("truncate m; insert into m values (5000, '2026-01-05', 'after')");
    REQUIRE_MESSAGE(pair.caught_up(), pair.link().dump());
    CHECK(pair.difference({"public.m"}) == "");
    CHECK(pair.count(pair.target.dsn, "m") == 1);
  }

  TEST_CASE("partitions appear on a source that divides by something else than the target") {
    struct Other {
      const char* source;
      const char* target;
    };
    const Other others[] = {{"list (k)", "range (k)"}, {"list (k)", "list (id)"}};
    for (const Other& other : others) {
      CAPTURE(other.target);
      Pair pair;
      const std::string columns = "create table p (id int, k int, primary key (id, k)) ";
      pair.on_source(columns + "partition by " + other.source);
      pair.on_source("create table p1 partition of p for values in (1)");
      pair.on_target(columns + "partition by " + other.target);
      pair.on_target("create table p_all partition of p default");
      pair.on_source("insert into p values (1, 1)");
      REQUIRE(pair.begin());
      pair.on_source(
          "create table p2 partition of p for values in (2); insert into p values (7, 1), (9, 2); "
          "update p set k = 3 - k where id > 1");
      CHECK_MESSAGE(pair.caught_up(), pair.link().dump());
      CHECK(pair.difference({"public.p"}) == "");
      CHECK(pair.count(pair.target.dsn, "p_all") == 3);
      CHECK(sqlstate_of(pair.target.dsn, "delete from p_all") == "25006");
    }
  }

  TEST_CASE("rows leave the default partition for one that is made in the same transaction") {
    Pair pair;
    pair.on_both(
        "create table p (id int primary key, v text) partition by range (id); "
        "create table p_default partition of p default");
    pair.on_source("insert into p select i, 'v' from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    pair.on_source(
        "create temp table kept as select * from p where id > 10; delete from p where id > 10; "
        "create table p_2 partition of p for values from (11) to (21); "
        "insert into p select * from kept; update p set v = 'w' where id in (3, 13)");
    REQUIRE_MESSAGE(pair.caught_up(), pair.link().dump());
    CHECK(pair.difference({"public.p"}) == "");
    pair.daemon.terminate();
    pair.on_source("delete from p where id = 12; update p set v = 'x' where id = 15");
    REQUIRE_MESSAGE(pair.begin(), pair.link().dump());
    CHECK(pair.difference({"public.p"}) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("partitions and columns stream before the source shows them, and no link stops of it") {
    PairOptions options;
    options.extra = "[apply]\non_new_column = \"add\"";
    Pair pair(options);
    pair.on_both(kByMonth);
    pair.on_both("create table t (id int primary key)");
    pair.on_source("insert into t values (1)");
    REQUIRE(pair.begin());
    for (const char* sql :
         {"begin; create table m_2 partition of m for values from ('2026-02-01') to "
          "('2026-03-01'); insert into m values (1, '2026-02-05', 'x'); commit",
          "begin; alter table t add a int default 7; insert into t values (2, 8); commit"}) {
      CAPTURE(sql);
      pair.source.cluster->set({{"synchronous_standby_names", "away"}});
      std::jthread writer([&] { run_alone(pair.source.dsn, sql); });
      const bool told = eventually(30s, [&] {
        return pair.error_message().find("does not show yet what it streams") != std::string::npos;
      });
      CHECK_MESSAGE(told, pair.link().dump());
      CHECK(pair.link()["state"] != "paused");
      pair.source.cluster->set({{"synchronous_standby_names", ""}});
      writer.join();
      REQUIRE_MESSAGE(pair.caught_up(), pair.link().dump());
    }
    CHECK(pair.difference({"public.m", "public.t"}) == "");
    CHECK(pair.count(pair.target.dsn, "m_2") == 1);
  }

  TEST_CASE("TRUNCATE of a partition that holds other rows on the target stops the link") {
    Pair pair;
    pair.on_source(kByMonth);
    pair.on_source(
        "create table m_2 partition of m for values from ('2026-02-01') to "
        "('2026-03-01')");
    pair.on_target(
        "create table m (id int, at date, body text, primary key (id, at)) "
        "partition by range (at); create table m_1 partition of m "
        "for values from ('2026-01-01') to ('2026-03-01')");
    pair.on_source("insert into m values (1, '2026-01-01', 'a'), (2, '2026-02-01', 'b')");
    REQUIRE(pair.begin());
    pair.on_source("truncate m_1");
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    CHECK(pair.error_message().find("m_1") != std::string::npos);
    CHECK(pair.count(pair.target.dsn, "m") == 2);
    const std::string lsn = pair.link()["error"]["transaction"];
    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "m") == 2);
  }

  TEST_CASE("a pause takes effect although the target is locked by somebody") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    pqxx::connection connection(pair.target.dsn);
    pqxx::work blocker(connection);
    blocker.exec("lock table t in share mode");
    pair.on_source("insert into t values (1)");
    std::this_thread::sleep_for(1s);
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    CHECK(pair.daemon.wait_for_state("paused", 10s));
    blocker.commit();
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
