// Tables of the target that have rows already, as copy.on_nonempty lets them.
#include <doctest/doctest.h>

#include <csignal>
#include <optional>

#include "server/verify_runs.h"

using namespace repld::testing;

namespace {

PairOptions on_nonempty(const std::string& choice) {
  PairOptions options;
  options.extra = "[copy]\non_nonempty = \"" + choice + "\"\n";
  return options;
}

constexpr const char* kSchema =
    "create table a (id int primary key, u int unique, body text); "
    "create table b (id int primary key, a int references a on delete cascade); "
    "create table k (n int, t text); "
    "create table p (id int, k int, v text, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); create table p2 partition of p default; "
    "create table e (id int primary key)";

// Both sides alike, as after a restored dump, and then each goes its own way.
void fill(const Pair& pair) {
  pair.on_both(kSchema);
  pair.on_source("alter table k replica identity full");
  pair.on_both(
      "insert into a select i, i, repeat(md5(i::text), 100) from generate_series(1, 300) i; "
      "insert into b select i, 1 + i % 300 from generate_series(1, 500) i; "
      "insert into k select i / 3, 'x' from generate_series(1, 60) i; "
      "insert into p select i, i % 3, 'v' from generate_series(1, 100) i");
  pair.on_source(
      "update a set body = 'new' where id < 20; delete from a where id between 40 and 50; "
      "insert into a values (1000, 1000, 'late'); update a set u = -u where id in (60, 61); "
      "update a set u = 61 where id = 60; update a set u = 60 where id = 61; "
      "delete from k where n = 4; insert into k values (null, null), (7, 'x'); "
      "update p set k = 1 where id = 6; insert into e select generate_series(1, 40)");
  pair.on_target("delete from b where id < 5; insert into p values (900, 1, 'stray')");
}

const std::vector<std::string> kTables = {"public.a", "public.b", "public.k", "public.p",
                                          "public.e"};

std::string rows_of(const std::string& dsn) {
  return Pair::run_sql(dsn,
                       "select md5(string_agg(t::text, ',' order by t::text)) from "
                       "(select a::text from a union all select k::text from k) t")[0][0]
      .c_str();
}

}  // namespace

TEST_SUITE("nonempty") {
  TEST_CASE("tables with rows are repaired or emptied while the source is written to") {
    for (const char* choice : {"repair", "truncate"}) {
      CAPTURE(choice);
      Pair pair(on_nonempty(choice));
      fill(pair);
      std::optional<Writers> writers(
          std::in_place, pair, 1, [](pqxx::nontransaction& session, int64_t number) {
            const std::string id = std::to_string(1 + number % 100);
            session.exec("update a set body = 'w' || body where id = " + id +
                         "; insert into e values (1000 + " + std::to_string(number) +
                         "); update p set v = v || 'w' where id = " + id +
                         "; delete from k where ctid in (select ctid from k limit 1)" +
                         "; insert into k values (" + id + ", 'y')");
          });
      REQUIRE(pair.begin());
      const int64_t before = writers->written();
      REQUIRE(eventually(30s, [&] { return writers->written() > before + 20; }));
      writers.reset();
      REQUIRE(pair.caught_up());
      CHECK(pair.difference(kTables) == "");
      const nlohmann::json link = pair.link();
      for (const nlohmann::json& table : link["tables"]) {
        CHECK(table["missing_rows"] == 0);
        CHECK(table["unexpected_rows"] == 0);
      }
      CHECK(sqlstate_of(pair.target.dsn, "insert into a values (-1)") == "25006");
      CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
    }
  }

  TEST_CASE("a table with rows that others write to is neither repaired nor emptied") {
    for (const char* choice : {"repair", "truncate"}) {
      CAPTURE(choice);
      Pair pair(on_nonempty(choice));
      fill(pair);
      std::jthread writer([&](const std::stop_token& stop) {
        pqxx::connection connection(pair.target.dsn);
        while (!stop.stop_requested()) {
          pqxx::nontransaction(connection).exec("update public.p set v = 'theirs' where id = 900");
          std::this_thread::sleep_for(300ms);
        }
      });
      const std::string rows = rows_of(pair.target.dsn);
      pair.daemon.start();
      REQUIRE(eventually(40s, [&] {
        return pair.error_message().find("others write to them") != std::string::npos;
      }));
      CHECK(pair.link()["error"]["detail"] == "public.p");
      CHECK(rows_of(pair.target.dsn) == rows);
      CHECK(sqlstate_of(pair.target.dsn, "update p set v = 'still' where id = 900") == "");
      CHECK(pair.count(pair.source.dsn, "pg_replication_slots") == 0);
      writer = {};
      REQUIRE(pair.caught_up());
      CHECK(pair.difference(kTables) == "");
    }
  }

  TEST_CASE("a table with newer rows than the source is neither repaired nor emptied") {
    for (const char* choice : {"repair", "truncate"}) {
      CAPTURE(choice);
      Pair pair(on_nonempty(choice));
      const std::string columns = "(id int primary key, at timestamptz not null default now())";
      // By the target's default; a column of another name there is no sign of anything.
      pair.on_both("create table t " + columns + "; create table u " + columns);
      pair.on_target("alter table u rename at to changed; alter table u add at timestamptz");
      pair.on_source("insert into t values (1, '2026-01-01'); insert into u values (1)");
      pair.on_target("insert into t values (1, '2026-01-01'), (2, '2026-01-02')");
      pair.on_target("insert into u values (1, '2030-01-01')");
      pair.daemon.start();
      const bool told = eventually(40s, [&] {
        return pair.error_message().find("newer rows than the source") != std::string::npos;
      });
      REQUIRE_MESSAGE(told, pair.link()["error"].dump());
      CHECK(pair.link()["error"]["detail"] == "public.t");
      CHECK(pair.count(pair.target.dsn, "t") == 2);
      pair.on_target("delete from t where id = 2");
      REQUIRE(pair.caught_up());
      CHECK(pair.difference({"public.t"}) == "");
    }
  }

  TEST_CASE("newer rows that a copy has brought which was cut off do not stand in its way") {
    Pair pair(on_nonempty("repair"));
    pair.on_both("create table t (id int primary key, at timestamptz not null default now())");
    pair.on_source("insert into t values (1, '2026-01-01'), (2, '2026-01-02')");
    pair.on_target("insert into t values (1, '2026-01-01')");
    pair.daemon.start("copy.before_done=kill");
    REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
    REQUIRE(pair.count(pair.target.dsn, "t") == 2);
    pair.on_source("delete from t where id = 2");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("kill -9 while tables with rows are repaired or emptied; the next start goes on") {
    for (const char* choice : {"repair", "truncate"}) {
      Pair pair(on_nonempty(choice));
      fill(pair);
      for (const char* point : {"setup.after_guard", "repair.before_commit", "copy.before_done"}) {
        CAPTURE(choice);
        CAPTURE(point);
        if (std::string(choice) == "truncate" && std::string(point).starts_with("repair")) {
          continue;
        }
        pair.daemon.start(std::string(point) + "=kill");
        CHECK(pair.daemon.wait_for_death() == 128 + SIGKILL);
        pair.on_source(
            "insert into e select max(id) + 1 from e; update a set body = 'k' where id = 3");
      }
      REQUIRE(pair.begin());
      CHECK(pair.difference(kTables) == "");
    }
  }

  TEST_CASE("a table that differs in very many rows is brought anew, unique values and all") {
    Pair pair(on_nonempty("repair"));
    pair.on_both("create table t (id int primary key, u int unique, v text)");
    pair.on_source("insert into t select i, i, 'new' from generate_series(1, 30000) i");
    pair.on_target("insert into t select i, 30001 - i, 'old' from generate_series(1, 30000) i");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a table with rows joins a running link by being repaired") {
    PairOptions options = on_nonempty("repair");
    options.extra += "[tables]\nexclude = [\"public.a\", \"public.k\"]\n";
    Pair pair(options);
    fill(pair);
    REQUIRE(pair.begin());
    CHECK(pair.link()["tables"].size() == 3);
    const std::string path = pair.daemon.config_path();
    REQUIRE(run({"sed", "-i", "s/^exclude = .*/exclude = []/", path}).exit_code == 0);
    pair.daemon.signal(SIGHUP);
    REQUIRE(eventually(60s, [&] {
      const nlohmann::json tables = pair.link()["tables"];
      return tables.size() == 5 && std::all_of(tables.begin(), tables.end(), [](const auto& table) {
               return table["state"] == "copied";
             });
    }));
    pair.on_source("update a set body = 'after' where id = 9");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference(kTables) == "");
  }
}
