// Schema repld, whoever finds it in whichever version: made once, brought up with its rows, and
// never touched by a program that is older than it.
#include "pg/migrations.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "server/bad_input.h"

using namespace repld::testing;

namespace {

struct Version {
  int number;
  std::string name;
  std::string text;
};

// As the files are, oldest first.
std::vector<Version> versions() {
  std::vector<Version> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(REPLD_SOURCE_DIR) + "/sql/migrations")) {
    const std::string stem = entry.path().stem();
    found.push_back({std::stoi(stem), stem.substr(stem.find('_') + 1), read_file(entry.path())});
  }
  std::sort(found.begin(), found.end(),
            [](const Version& a, const Version& b) { return a.number < b.number; });
  return found;
}

void migrate_now(const Platform& platform) {
  repld::pg::Session session(
      repld::pg::Server{repld::Side::target, platform.remote_dsn, std::nullopt});
  repld::pg::migrate(session);
}

// The rows of a link that an older program left. (Chunks of a copy are not kept across versions.)
constexpr const char* kRows =
    "insert into repld.progress (link, slot_name, system_identifier, timeline, database, phase, "
    "lsn, "
    "owner, owner_pid, owner_instance, guard_nonce, paused) values ('old', 'repld_old', '1', 1, "
    "'d', "
    "'streaming', '0/AB', '00000000-0000-0000-0000-000000000001', 7, 'i', 'n', true); "
    "insert into repld.table_state (link, schema_name, table_name, state, rows) values "
    "('old', 'public', 'a', 'copying', 1), ('old', 'public', 'b', 'copied', 2); "
    "insert into repld.set_aside (link, kind, schema_name, table_name, name, how, definition) "
    "values "
    "('old', 'trigger', 'public', 'a', 'tr', 'disabled', 'x'); "
    "insert into repld.event (link, kind, message) values ('old', 'started', 'long ago')";

std::string kept_rows(const Platform& target) {
  return Pair::run_sql(
             target.dsn,
             "select concat_ws(' ', "
             "(select concat_ws(',', slot_name, phase, lsn, guard_nonce, paused) from "
             "repld.progress), "
             "(select string_agg(concat_ws(',', table_name, state, rows), ' ' order by table_name) "
             "from repld.table_state), "
             "(select definition from repld.set_aside), (select message from repld.event)) ")[0][0]
      .c_str();
}

// Everything that is in the schema: relations, functions and rows.
std::string everything(const Platform& target) {
  return Pair::run_sql(
             target.superuser_dsn,
             "select coalesce((select string_agg(concat(oid, relname, relfilenode, relacl), ' ' "
             "order by oid) from pg_class "
             "where relnamespace = 'repld'::regnamespace and relkind in ('r', 'i')), '') || "
             "coalesce((select string_agg(p.oid || md5(prosrc), ' ' order by p.oid) from pg_proc p "
             "where pronamespace = 'repld'::regnamespace), '') || "
             "schema_to_xml('repld', true, false, '')::text")[0][0]
      .c_str();
}

int version_of(const Platform& target) {
  return Pair::run_sql(target.dsn, "select max(version) from repld.migration")[0][0].as<int>();
}

}  // namespace

TEST_SUITE("migrations") {
  TEST_CASE("a schema of any older version is brought up, and its rows stay") {
    const Platform target = timeweb_like(timeweb_variant());
    const std::vector<Version> all = versions();
    REQUIRE(all.size() > 3);
    for (size_t applied = 1; applied < all.size(); ++applied) {
      CAPTURE(all[applied - 1].name);
      Pair::run_sql(
          target.dsn,
          "create schema repld; create table repld.migration (version integer primary key, "
          "name text not null, at timestamptz not null default now())");
      for (size_t i = 0; i < applied; ++i) {
        Pair::run_sql(target.dsn, all[i].text);
        Pair::run_sql(target.dsn, "insert into repld.migration values (" +
                                      std::to_string(all[i].number) + ", '" + all[i].name + "')");
      }
      Pair::run_sql(target.dsn, kRows);
      const std::string before = kept_rows(target);
      migrate_now(target);
      CHECK(kept_rows(target) == before);
      CHECK(version_of(target) == all.back().number);
      const std::string after = everything(target);
      migrate_now(target);
      CHECK(everything(target) == after);
      Pair::run_sql(target.dsn, "drop schema repld cascade");
    }
  }

  TEST_CASE("a link goes on where an older program's schema has another link's rows") {
    Pair pair;
    const std::vector<Version> all = versions();
    pair.on_both("create table t (id int primary key)");
    pair.on_source("insert into t values (1)");
    pair.on_target(
        "create schema repld; create table repld.migration (version integer primary key, "
        "name text not null, at timestamptz not null default now()); "
        "insert into repld.migration values (1, 'link_state')");
    pair.on_target(all[0].text);
    pair.on_target(kRows);
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(version_of(pair.target) == all.back().number);
    CHECK(pair.count(pair.target.dsn, "repld.progress where link = 'old' and lsn = '0/AB'") == 1);
    CHECK(pair.count(pair.target.dsn, "repld.table_state where link = 'old'") == 2);
    CHECK(pair.count(pair.target.dsn, "repld.event where link = 'old'") == 1);
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(pair.count(pair.target.dsn, "repld.progress where link = 'old'") == 1);
    CHECK(pair.count(pair.target.dsn, "repld.set_aside where link = 'old'") == 1);
  }

  TEST_CASE("two daemons that start at the same moment on an empty target make it once") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.t\"]";
    Pair pair(options);
    pair.on_both("create table t (id int primary key); create table u (id int primary key)");
    pair.on_source("insert into t values (1); insert into u values (1), (2)");
    Daemon other(pair.source.remote_dsn, pair.target.remote_dsn, "other",
                 "[tables]\ninclude = [\"public.u\"]");
    {
      // Both have found nothing before either makes anything.
      pqxx::connection holder(pair.target.superuser_dsn);
      pqxx::work holding(holder);
      holding.exec("select pg_advisory_xact_lock(hashtextextended('repld.migration', 0))");
      pair.daemon.start();
      other.start();
      REQUIRE(eventually(30s, [&] {
        return pair.count(pair.target.superuser_dsn,
                          "pg_locks where locktype = 'advisory' and not granted") == 2;
      }));
    }
    REQUIRE_MESSAGE(pair.caught_up(), pair.daemon.log_text());
    REQUIRE_MESSAGE(other.wait_for("caught-up", 60s), other.log_text());
    CHECK(pair.difference({"public.t", "public.u"}) == "");
    CHECK(pair.count(pair.target.dsn, "repld.migration") ==
          static_cast<int64_t>(versions().size()));
    for (const Daemon* daemon : {&pair.daemon, &other}) {
      CHECK(daemon->replctl({"events"}).out.find("retrying") == std::string::npos);
    }
  }

  TEST_CASE("a schema that is newer than the program is refused and left alone") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    pair.on_target(
        "insert into repld.migration values (9999, 'of_tomorrow'); "
        "insert into repld.event (link, at, kind, message) values "
        "('pair', now() - interval '40 days', 'test', 'what the newer program may keep')");
    pair.on_source("insert into t values (1)");
    const std::string before = everything(pair.target);
    pair.daemon.start();
    const nlohmann::json error = told(pair.daemon, "Run the newer repld");
    CHECK_MESSAGE(error["message"] == "schema repld is newer than this program", error["text"]);
    CHECK_MESSAGE(has(error, "version 9999"), error["text"]);
    CHECK(error["state"] == "paused");
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 1);
    CHECK(pair.daemon.replctl({"resync", "public.t"}).exit_code == 1);
    CHECK(pair.daemon.replctl({"pause"}).exit_code == 0);
    CHECK(pair.daemon.wait_log("the pause is not stored on the target", 20s));
    CHECK(pair.daemon.terminate() == 0);
    CHECK(everything(pair.target) == before);
    pair.on_target("delete from repld.migration where version = 9999");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
