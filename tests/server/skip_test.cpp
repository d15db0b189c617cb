// A source transaction that the target refuses for good, and the operator leaves out.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// Where the link has stopped; empty when it has not within 20 s.
std::string stopped_at(const Pair& pair) {
  const bool paused = eventually(20s, [&] { return pair.link()["state"] == "paused"; });
  return paused ? pair.link()["error"]["transaction"].get<std::string>() : "";
}

}  // namespace

TEST_SUITE("skip") {
  TEST_CASE("the transaction that stops the link is left out whole, on the operator's word only") {
    PairOptions options;
    options.extra = "[verify]\nevery = \"0\"\n";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int); create table u (id int primary key)");
    pair.on_target("alter table t add constraint small check (n < 100)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    pair.on_source("insert into t values (1, 1)");
    pair.on_source("begin; insert into u values (1); insert into t values (2, 500); commit");
    pair.on_source("insert into t values (3, 3); insert into u values (3)");
    const std::string lsn = stopped_at(pair);
    REQUIRE(lsn != "");
    CHECK(pair.on_target("select count(*) from t")[0][0].as<int>() == 1);

    CHECK(pair.daemon.replctl({"skip", "--lsn", lsn}).exit_code == 2);
    CHECK(pair.daemon.replctl({"skip", "--lsn", "nonsense", "--yes"}).exit_code == 2);
    const Outcome other = pair.daemon.replctl({"skip", "--lsn", "0/1", "--yes"});
    CHECK(other.exit_code == 1);
    CHECK(other.err.find("it has stopped at " + lsn) != std::string::npos);
    CHECK(pair.link()["state"] == "paused");

    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.on_target("select string_agg(id::text, ',' order by id) from t")[0][0].c_str() ==
          std::string("1,3"));
    CHECK(pair.on_target("select string_agg(id::text, ',' order by id) from u")[0][0].c_str() ==
          std::string("3"));
    const auto proofs_hold = [&] {
      std::string hold;
      for (const nlohmann::json link = pair.link(); const auto& table : link["tables"]) {
        hold += table["proof"]["unproven"].get<std::string>().empty() ? "y" : "n";
      }
      return hold;
    };
    CHECK(proofs_hold() == "nn");
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    CHECK(proofs_hold() == "nn");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 1);
    CHECK(proofs_hold() == "yy");
    const std::string events = pair.daemon.replctl({"events"}).out;
    CHECK(events.find("committed at " + lsn +
                      ", is left out by the operator: 2 changes to "
                      "public.t, public.u") != std::string::npos);
    CHECK(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 1);
  }

  TEST_CASE("whatever the target fails with, the transaction at fault is named, none before lost") {
    struct Row {
      const char* failure;
      const char* sqlstate;
    };
    for (const Row& row :
         {Row{"raise exception 'no % here', n", "P0001"}, Row{"perform from nowhere", "42P01"}}) {
      CAPTURE(row.sqlstate);
      Pair pair;
      pair.on_both("create table t (id int primary key, n int)");
      REQUIRE(pair.begin());
      pair.on_target(
          fmt::format("create function judge(n int) returns bool language plpgsql as $$ begin "
                      "if n = 1987654321 then {}; end if; return true; end $$; "
                      "alter table t add constraint judged check (judge(n))",
                      row.failure));
      REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
      for (int i = 1; i <= 9; ++i) {
        pair.on_source(fmt::format("insert into t values ({}, {})", i, i == 6 ? 1987654321 : i));
      }
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
      REQUIRE(eventually(20s, [&] { return !pair.link()["error"].is_null(); }));
      const std::string lsn = stopped_at(pair);
      REQUIRE(lsn != "");
      const auto error = pair.link()["error"];
      CHECK(error["sqlstate"] == row.sqlstate);
      CHECK(error["table"] == "public.t");
      CHECK(error["detail"].get<std::string>().rfind("INSERT number 1 of source", 0) == 0);
      CHECK(error.dump().find("1987654321") == std::string::npos);
      CHECK(pair.count(pair.target.dsn, "t") == 5);
      REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
      REQUIRE(pair.caught_up());
      CHECK(pair.count(pair.target.dsn, "t") == 8);
    }
  }

  TEST_CASE("a daemon that dies before it got past a transaction stops there again") {
    Pair pair;
    pair.on_both("create table t (id int primary key, n int)");
    pair.on_target("alter table t add constraint small check (n < 100)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (2, 500)");
    const std::string lsn = stopped_at(pair);
    REQUIRE(lsn != "");
    {
      pqxx::connection connection(pair.target.dsn);
      pqxx::work lock(connection);
      lock.exec("select from repld.progress for update");
      REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
      pair.daemon.kill9();
    }
    pair.daemon.start();
    CHECK(stopped_at(pair) == lsn);
    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "t") == 0);
  }

  TEST_CASE("what is left out is written down before it is left out") {
    Pair pair;
    pair.on_both("create table t (id int primary key, n int)");
    pair.on_target("alter table t add constraint small check (n < 100)");
    pair.daemon.start("skip.noted=kill");
    REQUIRE(pair.caught_up());
    pair.on_source("insert into t values (2, 500)");
    const std::string lsn = stopped_at(pair);
    REQUIRE(lsn != "");
    pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"});
    REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
    CHECK(pair.count(pair.target.dsn, "repld.event where kind = 'skipped'") == 1);
    CHECK(pair.count(pair.target.dsn, "repld.table_state where suspicion like '%left out%'") == 1);
    pair.daemon.start();
    CHECK(stopped_at(pair) == lsn);
  }

  TEST_CASE("a transaction that the target refuses at its COMMIT is named, and left out") {
    Pair pair;
    pair.on_both("create table t (id int primary key, n int)");
    pair.on_target("alter table t add unique (n) deferrable initially deferred");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1, 1)");
    pair.on_source("insert into t values (2, 1)");
    pair.on_source("insert into t values (3, 3)");
    const std::string lsn = stopped_at(pair);
    REQUIRE(lsn != "");
    CHECK(pair.link()["error"]["table"] == "public.t");
    CHECK(pair.link()["error"]["detail"].get<std::string>().rfind("COMMIT of source", 0) == 0);
    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.on_target("select string_agg(id::text, ',' order by id) from t")[0][0].c_str() ==
          std::string("1,3"));
  }

  TEST_CASE("a large transaction is left out in all its parts") {
    PairOptions options;
    options.extra = "[apply]\nmemory_mb = 16";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int, body text)");
    pair.on_target("alter table t add constraint small check (n < 20000)");
    REQUIRE(pair.begin());
    pair.on_source(
        "insert into t select i, i, repeat(md5(i::text), 10) from generate_series(1, 20000) i");
    const std::string lsn = stopped_at(pair);
    REQUIRE(lsn != "");
    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    pair.on_source("insert into t values (-1, 1, '')");
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "t") == 1);
    CHECK(pair.daemon.replctl({"events"}).out.find("20000 changes to public.t") !=
          std::string::npos);
  }
}
