// Whose publication and slot are: what another link made is never altered, used or dropped, and a
// publication that was altered behind the link's back is never streamed over.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kTables =
    "create table t (id int primary key, n int); create table u (id int primary key)";
constexpr const char* kOnlyT = "[tables]\ninclude = [\"public.t\"]";

std::string message_of(const Daemon& daemon) {
  const auto status = nlohmann::json::parse(daemon.status_json(), nullptr, false);
  if (!status.is_object() || status["links"][0]["error"].is_null()) {
    return {};
  }
  return status["links"][0]["error"]["message"];
}

bool refuses_name(const Daemon& daemon) {
  return eventually(20s, [&] {
    return message_of(daemon).find("exists, but not for this target") != std::string::npos;
  });
}

void replace_in_config(const Daemon& daemon, const std::string& from, const std::string& to) {
  std::string text = read_file(daemon.config_path());
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  std::ofstream(daemon.config_path(), std::ios::trunc) << text.replace(at, from.size(), to);
}

void check_still_equal(const Pair& pair) {
  pair.on_source(
      "insert into t values (100, 1); insert into u values (100); delete from t "
      "where id = 1");
  REQUIRE(pair.caught_up());
  CHECK(pair.difference({"public.t", "public.u"}) == "");
  CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 1);
}

}  // namespace

TEST_SUITE("ownership") {
  TEST_CASE("a second link of the same name to another target leaves the live one alone") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into t values (1, 1)");
    REQUIRE(pair.begin());
    const Platform other = timeweb_like(timeweb_variant());
    Pair::run_sql(other.dsn, kTables);
    Daemon second(pair.source.remote_dsn, other.remote_dsn, "pair", kOnlyT);
    second.start();
    REQUIRE(refuses_name(second));
    check_still_equal(pair);
    CHECK(pair.count(other.dsn, "repld.progress") == 0);
    CHECK(sqlstate_of(other.dsn, "insert into t values (1)") == "");
    // Ending it ends nothing of the other's either.
    CHECK(second.replctl({"finalize", "--yes"}).exit_code == 0);
    pair.on_source("insert into u values (101)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.u"}) == "");
    CHECK(pair.count(pair.source.dsn, "pg_publication where pubname = 'repld_pair'") == 1);
  }

  TEST_CASE("a set-up that was interrupted before another link took the name leaves that alone") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into t values (1, 1)");
    const Platform other = timeweb_like(timeweb_variant());
    Pair::run_sql(other.dsn, kTables);
    Daemon second(pair.source.remote_dsn, other.remote_dsn, "pair", kOnlyT);
    second.start("setup.after_progress_row=kill");
    REQUIRE(second.wait_for_death() == 128 + SIGKILL);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    second.start();
    REQUIRE(refuses_name(second));
    CHECK(second.replctl({"finalize", "--yes"}).exit_code == 0);
    pair.daemon.start();
    REQUIRE(pair.caught_up());
    check_still_equal(pair);
  }

  TEST_CASE("a publication of that name that is not ours is not adopted, nor altered") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source(
        "insert into t values (1, 1); create publication repld_pair for table t with "
        "(publish = 'insert')");
    pair.daemon.start();
    REQUIRE(refuses_name(pair.daemon));
    CHECK(pair.count(pair.source.dsn,
                     "pg_publication where pubname = 'repld_pair' "
                     "and pubinsert and not pubdelete") == 1);
    CHECK(pair.count(pair.source.dsn, "pg_publication_tables where pubname = 'repld_pair'") == 1);
    CHECK(pair.count(pair.target.dsn, "repld.progress") == 0);
    pair.on_source("drop publication repld_pair");
    REQUIRE(pair.caught_up());
    check_still_equal(pair);
  }

  TEST_CASE("options of our own publication that an interrupted set-up left are put right") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into t values (1, 1)");
    pair.daemon.start("setup.after_guard=kill");
    REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
    pair.on_source(
        "alter publication repld_pair set (publish = 'insert', "
        "publish_via_partition_root = true); alter publication repld_pair set table t "
        "where (id > 5)");
    REQUIRE(pair.begin());
    check_still_equal(pair);
  }

  TEST_CASE("a publication that is narrowed while it streams ends the stream") {
    for (const char* change :
         {"drop table u", "set (publish = 'insert, update')", "set table t, u where (id > 5)"}) {
      CAPTURE(change);
      Pair pair;
      pair.on_both(kTables);
      REQUIRE(pair.begin());
      pair.on_source(std::string("alter publication repld_pair ") + change);
      REQUIRE(pair.daemon.wait_for_state("slot_lost", 60s));
      CHECK(message_of(pair.daemon).find("publication \"repld_pair\"") != std::string::npos);
      // The way out that the hint names.
      REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
      CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
      CHECK(pair.count(pair.source.dsn, "pg_publication where pubname = 'repld_pair'") == 0);
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
      REQUIRE(pair.caught_up());
      check_still_equal(pair);
    }
  }

  TEST_CASE("what happened to the publication while the daemon was down is seen at its start") {
    struct Row {
      const char* change;
      const char* state;
    };
    for (const Row& row :
         {Row{"alter publication repld_pair drop table u; insert into u values (1); "
              "alter publication repld_pair add table u",
              "slot_lost"},
          Row{"drop table u; create table u (id int primary key)", "slot_lost"},
          Row{"drop publication repld_pair; create publication repld_pair for table t, u",
              "slot_lost"},
          // It is one that joins: its changes are left out until it is copied.
          Row{"create table v (id int primary key); alter publication repld_pair add table v",
              "streaming"},
          Row{"drop table u", "streaming"},
          Row{"alter table u rename to w; alter table w rename to u", "streaming"}}) {
      CAPTURE(row.change);
      Pair pair;
      pair.on_both(kTables);
      REQUIRE(pair.begin());
      REQUIRE(pair.daemon.terminate() == 0);
      pair.on_source(row.change);
      pair.daemon.start();
      CHECK(pair.daemon.wait_for_state(row.state, 20s));
    }
  }

  TEST_CASE("a slot whose publication is gone is not dropped on a guess") {
    Pair pair;
    pair.on_both(kTables);
    REQUIRE(pair.begin());
    pair.on_source("drop publication repld_pair");
    REQUIRE(pair.daemon.wait_for_state("slot_lost", 60s));
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 1);
    CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 1);
    REQUIRE(eventually(20s, [&] {
      return sqlstate_of(pair.source.dsn, "select pg_drop_replication_slot('repld_pair')") == "";
    }));
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
  }

  TEST_CASE("rows that were taken as equal are not thrown away when copying is wanted later") {
    PairOptions options;
    options.extra = "[copy]\ninitial = false";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int); insert into t values (1, 1)");
    pair.daemon.start("setup.after_guard=kill");
    REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
    replace_in_config(pair.daemon, "initial = false", "initial = true");
    pair.daemon.start();
    REQUIRE(eventually(
        20s, [&] { return message_of(pair.daemon).find("not empty") != std::string::npos; }));
    CHECK(pair.count(pair.target.dsn, "t") == 1);
    // The guard of the first attempt goes with it.
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    pair.on_target("delete from t");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
