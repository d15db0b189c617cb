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

// Where the link has stopped, as skip wants it; empty when it has not within 20 s.
std::string stopped_at(const Pair& pair) {
  std::string lsn;
  eventually(20s, [&] {
    const nlohmann::json link = pair.link();
    lsn = link["state"] == "paused" && link["error"].is_object()
              ? link["error"]["transaction"].get<std::string>()
              : "";
    return lsn != "";
  });
  return lsn;
}

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

  TEST_CASE(
      "partitions, columns and keys stream before the source shows them, and no link stops of it") {
    PairOptions options;
    options.extra = "[apply]\non_new_column = \"add\"";
    Pair pair(options);
    pair.on_both(kByMonth);
    pair.on_both("create table t (id int primary key)");
    pair.on_both(
        "create table f (id int primary key, a text); "
        "alter table f replica identity full");
    pair.on_source("insert into t values (1); insert into f values (1, 'a'), (2, 'b')");
    REQUIRE(pair.begin());
    for (const char* sql :
         {"begin; create table m_2 partition of m for values from ('2026-02-01') to "
          "('2026-03-01'); insert into m values (1, '2026-02-05', 'x'); commit",
          "begin; alter table t add a int default 7; insert into t values (2, 8); commit",
          "begin; alter table f drop constraint f_pkey; "
          "update f set a = 'c' where id = 2; commit"}) {
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
    CHECK(pair.difference({"public.m", "public.t", "public.f"}) == "");
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
    pair.on_source("insert into m values (3, '2026-02-03', 'before')");
    pair.on_source("truncate m_1");
    pair.on_source("insert into m values (4, '2026-01-04', 'after')");
    const std::string lsn = stopped_at(pair);
    REQUIRE_MESSAGE(lsn != "", pair.link().dump());
    const nlohmann::json error = pair.link()["error"];
    CHECK(error["message"].get<std::string>().find("m_1") != std::string::npos);
    CHECK(error["table"] == "public.m_1");
    CHECK(error["hint"].get<std::string>().find("skip --lsn " + lsn) != std::string::npos);
    CHECK(pair.count(pair.target.dsn, "m") == 3);
    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "m") == 4);
    CHECK(pair.daemon.replctl({"repair"}).exit_code == 0);
    CHECK(pair.difference({"public.m"}) == "");
  }

  TEST_CASE("so does TRUNCATE of a whole table that has got another partition since") {
    Pair pair;
    pair.on_source(kByMonth);
    pair.on_target(
        "create table m (id int, at date, body text, primary key (id, at)) "
        "partition by range (at); create table m_all partition of m default");
    pair.on_source("insert into m values (1, '2026-01-01', 'a')");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    pair.on_source("insert into m values (2, '2026-01-02', 'b')");
    pair.on_source("begin; truncate m; insert into m values (3, '2026-01-03', 'c'); commit");
    pair.on_source(
        "create table m_2 partition of m for values from ('2026-02-01') to ('2026-03-01'); "
        "insert into m values (4, '2026-02-04', 'd')");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    const std::string lsn = stopped_at(pair);
    REQUIRE_MESSAGE(lsn != "", pair.link().dump());
    CHECK(pair.count(pair.target.dsn, "m") == 2);
    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.daemon.replctl({"repair"}).exit_code == 0);
    CHECK(pair.difference({"public.m"}) == "");
  }

  TEST_CASE("partitions of partitions are made with what is missing above them") {
    Pair pair;
    const std::string root = "create table p (id int primary key, a text) partition by range (id)";
    pair.on_both(root + "; create table p1 partition of p for values from (0) to (10)");
    REQUIRE(pair.begin());
    pair.on_source(
        "create table p2 partition of p for values from (10) to (100) partition by range (id); "
        "create table \"p2 Low\" partition of p2 for values from (10) to (50) "
        "partition by hash (id); "
        "create table p2_low_0 partition of \"p2 Low\" for values with (modulus 2, remainder 0); "
        "create table p2_low_1 partition of \"p2 Low\" for values with (modulus 2, remainder 1); "
        "create table p2_high partition of p2 for values from (50) to (100); "
        "insert into p select i, 'x' from generate_series(10, 99) i");
    pair.on_source("update p set a = 'y' where id > 40; truncate p2_low_0");
    CHECK_MESSAGE(pair.caught_up(20s), pair.link().dump());
    CHECK(pair.difference({"public.p", "public.p2_low_1", "public.\"p2 Low\""}) == "");
    CHECK(sqlstate_of(pair.target.dsn, "delete from p2_low_1") == "25006");
    CHECK(sqlstate_of(pair.target.dsn, "delete from \"p2 Low\"") == "25006");
  }

  TEST_CASE("a partition whose name is taken on the target stops the link until it is free") {
    const char* const taken[] = {
        "create table m_2 (id int)",
        "create view m_2 as select 1 as one",
        "create type m_2 as enum ('a')",
        "create table m_2 partition of m for values from ('2026-06-01') to ('2026-07-01')",
    };
    for (const std::string by : taken) {
      CAPTURE(by);
      Pair pair;
      pair.on_both(kByMonth);
      pair.on_target(by);
      REQUIRE(pair.begin());
      pair.on_source(
          "create table m_2 partition of m for values from ('2026-02-01') to ('2026-03-01'); "
          "insert into m values (1, '2026-01-05', 'x'), (2, '2026-02-05', 'y')");
      const bool told = eventually(20s, [&] {
        return pair.error_message() ==
               "partition \"public.m_2\" is missing on the target, and its name is taken there";
      });
      REQUIRE_MESSAGE(told, pair.link().dump());
      CHECK(pair.link()["error"]["table"] == "public.m_2");
      const std::string kind = by.substr(7, by.find(' ', 7) - 7);
      pair.on_target("alter " + kind + " m_2 rename to m_other");
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
      CHECK_MESSAGE(pair.caught_up(20s), pair.link().dump());
      CHECK(pair.difference({"public.m", "public.m_2"}) == "");
    }
  }

  TEST_CASE("a taken name does not matter where other partitions take the rows") {
    for (const char* other : {"default", "for values from ('2026-02-01') to ('2027-01-01')"}) {
      CAPTURE(other);
      Pair pair;
      pair.on_both(kByMonth);
      pair.on_target("create table m_2 (id int)");
      pair.on_target(std::string("create table m_rest partition of m ") + other);
      REQUIRE(pair.begin());
      pair.on_source(
          "create table m_2 partition of m for values from ('2026-02-01') to ('2026-03-01'); "
          "insert into m values (1, '2026-01-05', 'x'), (2, '2026-02-05', 'y')");
      CHECK_MESSAGE(pair.caught_up(20s), pair.link().dump());
      CHECK(pair.difference({"public.m"}) == "");
      CHECK(pair.count(pair.target.dsn, "m_rest") == 1);
    }
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
