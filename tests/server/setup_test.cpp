// From nothing to a streaming copy: what is refused, and what a crash in between leaves.
#include <doctest/doctest.h>

#include <csignal>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema =
    "create table a (id int primary key, body text); create table k (n int); "
    "create table p (id int, k int, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); create table p2 partition of p default";

void fill(const Pair& pair) {
  pair.on_source(
      "alter table k replica identity full; "
      "insert into a select i, repeat(md5(i::text), 20) from generate_series(1, 5000) i; "
      "insert into k select i / 2 from generate_series(1, 100) i; "
      "insert into p select i, i % 3 from generate_series(1, 300) i");
}

}  // namespace

TEST_SUITE("setup") {
  TEST_CASE("kill -9 at any step of the set-up and of the copy; the next start makes it whole") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    int write = 0;
    for (const char* point :
         {"setup.after_progress_row=kill", "setup.after_guard=kill", "setup.after_slot=kill",
          "copy.after_chunk=kill", "copy.after_chunk=kill@3", "copy.before_done=kill"}) {
      CAPTURE(point);
      pair.daemon.start(point);
      REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
      ++write;
      pair.on_source("insert into a values (" + std::to_string(10000 + write) +
                     ", 'between'); "
                     "insert into k values (1); update p set k = 2 where id = " +
                     std::to_string(write));
    }
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.a", "public.k", "public.p"}) == "");
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 1);
  }

  TEST_CASE("rows written while the copy runs are in the copy or in the stream, none in both") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    std::jthread writer([&](const std::stop_token& stop) {
      pqxx::connection connection(pair.source.dsn);
      for (int i = 0; !stop.stop_requested(); ++i) {
        const std::string n = std::to_string(i);
        pqxx::nontransaction(connection)
            .exec("begin; insert into public.k values (" + n + "); insert into public.a values (" +
                  std::to_string(20000 + i) + ", 'w'); update public.p set k = k + 1 where id = " +
                  n + "; delete from public.a where id = " + n + "; commit");
      }
    });
    pair.daemon.start("copy.after_chunk=sleep:100");
    CHECK(pair.daemon.wait_for("copied", 60s));
    writer.request_stop();
    writer.join();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.k", "public.p"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("missing") == std::string::npos);
  }

  TEST_CASE("a target table that is not empty is refused, untouched, and looked at again") {
    Pair pair;
    pair.on_both("create table t (id int primary key, n int)");
    pair.on_source("insert into t values (1, 1)");
    pair.on_target("insert into t values (7, 7)");
    pair.daemon.start();
    REQUIRE(eventually(
        20s, [&] { return pair.error_message().find("not empty") != std::string::npos; }));
    CHECK(pair.link()["error"]["table"] == "public.t");
    CHECK(pair.link()["error"]["hint"].get<std::string>().find("exclude") != std::string::npos);
    CHECK(pair.count(pair.target.dsn, "t where id = 7 and n = 7") == 1);
    CHECK(sqlstate_of(pair.target.dsn, "update t set n = 7") == "");
    pair.on_target("delete from t");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("without a guard a half-made copy is not thrown away: rows of others may be in it") {
    PairOptions options;
    options.link_extra = "guard = false";
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    pair.on_source("insert into t values (1)");
    pair.daemon.start("copy.before_done=kill");
    REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
    pair.on_target("insert into t values (2)");
    pair.daemon.start();
    REQUIRE(eventually(
        20s, [&] { return pair.error_message().find("not empty") != std::string::npos; }));
    CHECK(pair.count(pair.target.dsn, "t") == 2);
  }

  TEST_CASE("a table whose updates publishing would break is refused before it is published") {
    Pair pair;
    pair.on_both("create table t (id int)");
    pair.on_source("insert into t values (1)");
    pair.daemon.start();
    REQUIRE(eventually(
        20s, [&] { return pair.error_message().find("replica identity") != std::string::npos; }));
    CHECK(sqlstate_of(pair.source.dsn, "update t set id = 2") == "");
    CHECK(pair.count(pair.source.dsn, "pg_publication where pubname = 'repld_pair'") == 0);
    pair.on_source("alter table t replica identity full");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a table or column that the target lacks is named, and nothing was begun") {
    Pair pair;
    pair.on_source("create table t (id int primary key, extra text)");
    pair.daemon.start();
    REQUIRE(eventually(20s, [&] { return pair.link()["error"].is_object(); }));
    CHECK(pair.link()["error"]["table"] == "public.t");
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
    pair.on_target("create table t (id int primary key)");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(
        eventually(20s, [&] { return pair.error_message().find("extra") != std::string::npos; }));
    pair.on_target("alter table t add extra text");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    CHECK(pair.caught_up());
  }

  TEST_CASE("a column added on the source pauses the link before a value is lost") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1)");
    pair.on_source("alter table t add note text; insert into t values (2, 'kept')");
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    CHECK(pair.error_message().find("note") != std::string::npos);
    pair.on_target("alter table t add note text");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a slot of that name that is not ours is left alone") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    pair.on_source("select pg_create_logical_replication_slot('repld_pair', 'test_decoding')");
    pair.daemon.start();
    REQUIRE(
        eventually(20s, [&] { return pair.error_message().find("exists") != std::string::npos; }));
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots where plugin = 'test_decoding'") == 1);
    CHECK(sqlstate_of(pair.target.dsn, "insert into t values (1)") == "");
  }

  TEST_CASE("with initial = false the rows that are there are taken as equal") {
    PairOptions options;
    options.extra = "[copy]\ninitial = false";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int); insert into t values (1, 1), (2, 2)");
    REQUIRE(pair.begin());
    pair.on_source("update t set n = 5 where id = 1; delete from t where id = 2");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a snapshot that is lost during the set-up or the copy is taken anew, by itself") {
    for (const int version : {15, 17}) {
      for (const char* point : {"setup.after_slot=sleep:2000", "copy.after_chunk=sleep:1000"}) {
        CAPTURE(version);
        CAPTURE(point);
        PairOptions options;
        options.source_version = version;
        options.extra = "[copy]\nworkers = 1";
        Pair pair(options);
        pair.on_both(kSchema);
        fill(pair);
        pair.daemon.start(point);
        REQUIRE(eventually(20s, [&] {
          return pair.count(pair.source.superuser_dsn,
                            "pg_replication_slots where confirmed_flush_lsn is not null") == 1;
        }));
        as_admin(pair.source,
                 "select pg_terminate_backend(pid) from pg_stat_activity "
                 "where backend_type = 'walsender'");
        REQUIRE(pair.caught_up());
        CHECK(pair.difference({"public.a", "public.k", "public.p"}) == "");
        const std::string events = pair.daemon.replctl({"events"}).out;
        CHECK(events.find("the snapshot of the copy is gone") != std::string::npos);
        CHECK(events.find("stopped") == std::string::npos);
      }
    }
  }

  TEST_CASE("what would never stream is refused before anything is begun") {
    struct Row {
      const char* source;
      const char* target;
      const char* message;
      const char* table;
    };
    constexpr const char* kRoot = "create table p (id int primary key) partition by range (id); ";
    const std::string unlogged =
        std::string(kRoot) + "create unlogged table p1 partition of p default";
    const std::string logged = std::string(kRoot) + "create table p1 partition of p default";
    for (const Row& row :
         {Row{unlogged.c_str(), logged.c_str(), "do not stream", "public.p1"},
          Row{"create table t (id int primary key, g int generated always as (id * 2) stored)",
              "create table t (id int primary key, g int)", "generated on the source", "public.t"},
          Row{"create table p (id int, n int) partition by range (id); create table p1 partition "
              "of p default; alter table p1 replica identity full",
              "create table p (id int, n int) partition by range (id); create table p1 partition "
              "of p default",
              "without a primary key", "public.p"}}) {
      CAPTURE(row.message);
      Pair pair;
      pair.on_source(row.source);
      pair.on_target(row.target);
      pair.daemon.start();
      REQUIRE(eventually(
          20s, [&] { return pair.error_message().find(row.message) != std::string::npos; }));
      CHECK(pair.link()["error"]["table"] == row.table);
      CHECK(pair.count(pair.source.dsn, "pg_publication where pubname = 'repld_pair'") == 0);
      CHECK(pair.count(pair.target.dsn, "repld.progress") == 0);
    }
  }

  TEST_CASE("a generated column under REPLICA IDENTITY FULL is refused where it breaks updates") {
    for (const int version : {15, 17, 18}) {
      CAPTURE(version);
      PairOptions options;
      options.source_version = version;
      Pair pair(options);
      pair.on_both("create table t (id int, g int generated always as (id * 2) stored)");
      pair.on_source("alter table t replica identity full; insert into t values (1)");
      pair.daemon.start();
      if (version < 18) {
        REQUIRE(pair.caught_up());
      } else {
        REQUIRE(eventually(20s, [&] {
          return pair.error_message().find("replica identity") != std::string::npos;
        }));
      }
      CHECK(sqlstate_of(pair.source.dsn, "update t set id = 2") == "");
      if (version < 18) {
        REQUIRE(pair.caught_up());
        CHECK(pair.difference({"public.t"}) == "");
      }
    }
  }
}
