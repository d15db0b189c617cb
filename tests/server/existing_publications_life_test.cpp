// Links through publications of somebody else, from preflight to finalize: what does not fit is
// told, what changes is noticed, and nothing of the publications is changed.
#include <doctest/doctest.h>

#include <csignal>

#include "doctor_runs.h"
#include "existing_links.h"

using namespace repld::testing;

TEST_SUITE("existing publications") {
  TEST_CASE("the preflight names what is missing, conflicts or does not come") {
    Pair pair(through("\"p\", \"q\", \"gone\"", "[tables]\nexclude = [\"public.out\"]"));
    pair.on_source(
        "create table t (id int primary key, a int, b int); create table log (x int); "
        "create table big (id int primary key, open bool, body text, unique (id, open)); "
        "create table out (id int primary key); create table own (id int primary key, s text); "
        "create table never (id int primary key); "
        "create publication p for table t (id, a), log, big where (id > 5), out, own (id)");
    pair.on_target(
        "create table t (id int primary key, a int); create table log (x int); "
        "create table big (id int primary key, open bool, body text, unique (id, open)); "
        "create table own (id int primary key)");
    const auto what = [&](const std::set<std::string>& severities) {
      return text_of(Preflight(pair.daemon).problems(severities));
    };
    std::string told = what({"error"});
    CHECK_MESSAGE(has(told, "[publication] publication q does not exist"), told);
    CHECK_MESSAGE(has(told, "[publication] publication gone does not exist"), told);
    pair.on_source(
        "create publication q for table t (id, b); "
        "create publication gone for table log with (publish = 'insert')");
    told = what({"error"});
    CHECK_MESSAGE(has(told, "publications p and q give different columns of public.t"), told);
    pair.on_source("alter publication q set table t (id, a)");
    told = what({"error"});
    CHECK(told == "");
    told = what({"warning"});
    CHECK_MESSAGE(has(told, "table public.log has no usable replica identity"), told);
    CHECK_MESSAGE(has(told, "rows that enter the filter of public.big"), told);
    CHECK_FALSE_MESSAGE(has(told, "public.own"), told);
    CHECK_FALSE_MESSAGE(has(told, "public.never"), told);
    told = what({"ok"});
    CHECK_MESSAGE(has(told, "left out by the configuration: public.out"), told);
    REQUIRE(pair.begin());
    CHECK(has(events(pair), "public.out"));
  }

  TEST_CASE("column lists that conflict are refused at the start, with nothing made") {
    Pair pair(through("\"p\", \"q\""));
    pair.on_both("create table t (id int primary key, a int, b int)");
    pair.on_source(
        "create publication p for table t (id, a); create publication q for table t; "
        "insert into t values (1, 2, 3)");
    pair.daemon.start();
    REQUIRE(
        stops_with(pair, "publications \"p\" and \"q\" give different columns of \"public.t\""));
    CHECK(pair.link()["state"] == "paused");
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
    CHECK(pair.count(pair.target.dsn, "pg_trigger where tgname like 'repld_guard_%'") == 0);
    pair.on_source("alter publication p set table t (a, b, id)");  // says the same as none
    CHECK(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    pair.on_source("update t set b = 4");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    pair.on_source("alter publication p set table t (id)");
    begin_again(pair);
    CHECK(stops_with(pair, "give different columns of \"public.t\""));
  }

  TEST_CASE("a partition whose changes are in no WAL stops the link, unless it was there before") {
    const std::string bounds = " for values from (10) to (20)";
    for (const std::string& made :
         {"create unlogged table k2 partition of k" + bounds,
          "create foreign table k2 partition of k" + bounds + " server away"}) {
      CAPTURE(made);
      Pair pair(through("\"p\""));
      as_admin(pair.source,
               "create foreign data wrapper nothing; create server away foreign data wrapper "
               "nothing; grant usage on foreign server away to public");
      const std::string tables =
          "create table k (id int) partition by range (id); "
          "create table k1 partition of k for values from (0) to (10); "
          "create table o (id int) partition by range (id); "
          "create table o1 partition of o for values from (0) to (10)";
      pair.on_both(tables);
      pair.on_source("create unlogged table o2 partition of o" + bounds);
      pair.on_source("create publication p for table k, o; insert into k values (1)");
      REQUIRE(pair.begin());
      pair.on_source("insert into o values (1), (11)");
      REQUIRE(pair.caught_up());
      CHECK(pair.count(pair.target.dsn, "o") == 1);
      pair.on_source(made);
      const bool told = eventually(60s, [&] {
        const nlohmann::json error = pair.link()["error"];
        return error.is_object() && error["table"] == "public.k2";
      });
      CHECK_MESSAGE(told, pair.link().dump());
    }
  }

  TEST_CASE("a publication that is missing is named, and waited for") {
    Pair pair(through("\"p\", \"Later\""));
    pair.on_both("create table t (id int primary key); create table u (id int primary key)");
    pair.on_source("insert into t values (1); create publication p for table t");
    pair.daemon.start();
    REQUIRE(stops_with(pair, "publications do not exist on the source: \"Later\""));
    CHECK(pair.count(pair.target.dsn, "repld.progress") == 0);
    pair.on_source("create publication \"Later\" for table u");
    REQUIRE(pair.caught_up());
    pair.on_source("insert into u values (1)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.u"}) == "");
  }

  TEST_CASE("set-up, a crash in it, streaming and finalize leave publications as they were") {
    Pair pair(through("\"repld_pair\""));
    pair.on_both("create table t (id int primary key, n int)");
    pair.on_source(
        "insert into t values (1, 1); create publication repld_pair for table t where (id < 100) "
        "with (publish = 'insert, delete')");
    as_admin(pair.source,
             "revoke create on database postgres from postgres; "
             "alter database postgres owner to supabase_admin");
    const std::string before = catalogs(pair);
    for (const char* place :
         {"setup.after_guard=kill", "setup.after_slot=kill", "copy.before_done=kill"}) {
      pair.daemon.start(place);
      REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
    }
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (2, 2), (200, 200); update t set n = 5");
    REQUIRE(pair.caught_up());
    CHECK(rows(pair.target.dsn, "select * from t") == "(1,1) (2,2)");
    CHECK(catalogs(pair) == before);
    const Outcome ended = pair.daemon.replctl({"finalize", "--yes"});
    CHECK_MESSAGE(ended.exit_code == 0, ended.err);
    CHECK_FALSE(has(ended.out, "left"));
    CHECK(catalogs(pair) == before);
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
    CHECK(sqlstate_of(pair.target.dsn, "truncate t") == "");
    CHECK(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "t") == 2);
  }

  TEST_CASE("a slot of an interrupted set-up is taken up when it is surely ours, else refused") {
    Pair pair(through("\"p\""));
    pair.on_both("create table t (id int primary key)");
    pair.on_source("create publication p for table t");
    pqxx::connection other(pair.source.dsn);
    {
      pqxx::work open(other);
      open.exec("insert into t values (1)");
      pair.daemon.start();
      REQUIRE(eventually(20s, [&] {
        return pair.count(pair.source.dsn, "pg_replication_slots where active") == 1;
      }));
      pair.daemon.kill9();
      pair.daemon.start();
      REQUIRE(eventually(20s, [&] {
        return pair.count(pair.source.dsn,
                          "pg_stat_activity where query like 'CREATE_REPLICATION_SLOT%' "
                          "and state = 'active'") == 1 &&
               has(pair.error_message(), "waits for");
      }));
      open.commit();
    }
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    pair.daemon.terminate();

    pair.on_target("truncate t");
    pair.daemon.start("setup.before_slot_noted=kill");
    REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
    pair.daemon.start();
    REQUIRE(stops_with(pair, "replication slot \"repld_pair\" exists"));
    pair.on_source("select pg_drop_replication_slot('repld_pair')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("what is altered while the link runs is told, by table") {
    Pair pair(through("\"p\", \"q\""));
    pair.on_both(
        "create table t (id int primary key); create table u (id int primary key); "
        "create table v (id int primary key); create table w (id int primary key)");
    pair.on_source("create publication p for table t, u; create publication q for table v");
    REQUIRE(pair.begin());
    pair.on_source("alter publication q add table u; alter publication p set table t, u");
    begin_again(pair);
    REQUIRE(pair.caught_up());  // the same changes come, by one way more
    const auto told = [&](const std::string& sql, const std::string& message) {
      pair.on_source(sql);
      begin_again(pair);
      const bool found = stops_with(pair, message, 10s);
      CHECK_MESSAGE(found, pair.error_message());
    };
    told("alter publication q add table w", "table \"public.w\" came into the publications");
    pair.on_source("insert into w values (1); insert into v values (1)");
    pair.on_source("alter publication q drop table w");
    begin_again(pair);
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "w") == 0);
    CHECK(pair.count(pair.target.dsn, "v") == 1);
    told("alter publication p set (publish = 'insert')", "give other operations of \"public.t\"");
    told(
        "alter publication p set (publish = 'insert, update, delete, truncate'); "
        "drop publication q",
        "publications do not exist on the source: \"q\"");
    told("create publication q for table v where (id > 5)", "left publication \"q\"");
    CHECK(pair.link()["state"] == "slot_lost");
  }

  TEST_CASE("a table that is dropped from its publication while the link runs pauses the link") {
    Pair pair(through("\"p\""));
    pair.on_both("create table t (id int primary key); create table u (id int primary key)");
    pair.on_source("create publication p for table t, u");
    REQUIRE(pair.begin());
    pair.on_source("alter publication p drop table u");
    REQUIRE(stops_with(pair, "table \"public.u\" left the publications of the link", 40s));
    CHECK(pair.link()["state"] == "paused");
    CHECK(pair.link()["error"]["table"] == "public.u");
    pair.on_source("alter publication p add table u");
    begin_again(pair);
    REQUIRE(stops_with(pair, "table \"public.u\" left publication \"p\", if only for a while"));
    const Outcome ended = pair.daemon.replctl({"finalize", "--yes"});
    CHECK_MESSAGE(ended.exit_code == 0, ended.err);
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
  }

  TEST_CASE("another link's slot is not taken, and other publications are not slipped in") {
    Pair pair(through("\"p\""));
    pair.on_both("create table t (id int primary key)");
    pair.on_source("create publication p for table t; create publication q for table t");
    REQUIRE(pair.begin());
    const Platform other = timeweb_like(timeweb_variant());
    Pair::run_sql(other.dsn, "create table t (id int primary key)");
    Daemon second(pair.source.remote_dsn, other.remote_dsn, "pair", "",
                  "create_publication = false\npublications = [\"p\"]");
    second.start();
    CHECK(eventually(20s, [&] {
      return has(second.status_json(), "replication slot \\\"repld_pair\\\" exists");
    }));
    const Outcome ended = second.replctl({"finalize", "--yes"});
    CHECK(ended.exit_code == 0);
    CHECK(has(ended.out, "slot repld_pair"));
    second.terminate();
    pair.on_source("insert into t values (1)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");

    pair.daemon.terminate();
    replace_in_config(pair.daemon, "publications = [\"p\"]", "publications = [\"p\", \"q\"]");
    pair.daemon.start();
    REQUIRE(stops_with(pair, "the link was set up with other publications"));
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
  }
}
