// replctl repair: what verify finds is mended, at a fence, while writes go on.
#include <doctest/doctest.h>

#include <csignal>
#include <optional>

#include "server/verify_runs.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema =
    "create table a (id int primary key, u int unique, body text, j jsonb, n numeric, f float8); "
    "create table k (n int, t text); "
    "create table c (code text, at date, v int, primary key (code, at)); "
    "create table p (id int, k int, v text, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); create table p2 partition of p default";

void fill(const Pair& pair) {
  pair.on_source(
      "alter table k replica identity full; "
      "insert into a select i, i, repeat(md5(i::text), 3200), '{}', 1.0, 0 "
      "from generate_series(1, 50) i; "
      "insert into k select i / 2, 'x' from generate_series(1, 20) i; "
      "insert into c select 'it''s ' || i, '2026-01-01', i from generate_series(1, 2000) i; "
      "insert into p select i, i % 3, 'v' from generate_series(1, 50) i");
}

nlohmann::json run(const Pair& pair, std::vector<std::string> arguments, int expected) {
  arguments.insert(arguments.begin(), "--json");
  const Outcome outcome = pair.daemon.replctl(arguments);
  INFO(outcome.err);
  INFO(outcome.out);
  REQUIRE(outcome.exit_code == expected);
  return nlohmann::json::parse(outcome.out);
}

// "missing 7;extra 3,null;", in order.
std::string keys_of(const nlohmann::json& proof) {
  std::vector<std::string> rows;
  for (const auto& row : proof["keys"]) {
    std::string text = row["kind"].get<std::string>();
    for (const auto& value : row["key"]) {
      text += (&value == &row["key"].front() ? " " : ",") +
              (value.is_null() ? std::string("null") : value.get<std::string>());
    }
    rows.push_back(text + ";");
  }
  std::sort(rows.begin(), rows.end());
  return fmt::format("{}", fmt::join(rows, ""));
}

// Rows are locked in another order than the applier's, which may be in the middle of them.
void damage_beside_applier(const Pair& pair, const std::string& sql) {
  REQUIRE(eventually(30s, [&] {
    try {
      pair.past_guard(sql);
      return true;
    } catch (const pqxx::deadlock_detected&) {
      return false;
    }
  }));
}

const std::vector<std::string> kTables = {"public.a", "public.k", "public.c", "public.p"};

}  // namespace

TEST_SUITE("repair") {
  TEST_CASE("each way of being different is found by one verify and mended by one repair") {
    Pair pair;
    pair.on_both(kSchema);
    pair.on_both("create table e (id int primary key)");
    fill(pair);
    pair.on_source(
        "insert into e values (1), (2), (3); update a set j = null where id = 10; "
        "update a set body = null where id = 16; update a set body = '' where id = 17");
    REQUIRE(pair.begin());
    struct Damage {
      const char* sql;
      const char* table;
      int missing, extra, different;
      const char* keys;  // null: too many
    };
    const Damage damages[] = {
        {"delete from a where id = 7", "public.a", 1, 0, 0, "missing 7;"},
        {"insert into a values (999, 999)", "public.a", 0, 1, 0, "extra 999;"},
        {"update a set body = overlay(body placing 'Z' from 70000) where id = 8", "public.a", 0, 0,
         1, "different 8;"},
        {"update a set body = '' where id = 16", "public.a", 0, 0, 1, "different 16;"},
        {"update a set body = null where id = 17", "public.a", 0, 0, 1, "different 17;"},
        {"update a set n = 1.00 where id = 11", "public.a", 0, 0, 1, "different 11;"},
        {"update a set f = '-0' where id = 12", "public.a", 0, 0, 1, "different 12;"},
        {"update a set j = 'null' where id = 10", "public.a", 0, 0, 1, "different 10;"},
        {"update a set u = -u where id in (14, 15); update a set u = 15 where id = 14; "
         "update a set u = 14 where id = 15",
         "public.a", 0, 0, 2, "different 14;different 15;"},
        {"update p set k = 1 where id = 6", "public.p", 1, 1, 0, "extra 6,1;missing 6,0;"},
        {"insert into k values (3, 'x'); insert into k values (null, null)", "public.k", 0, 2, 0,
         "extra 3,x;extra null,null;"},
        {"delete from k where n = 4", "public.k", 2, 0, 0, "missing 4,x;missing 4,x;"},
        {"update c set v = -v where v > 1200; delete from c where v between 1 and 100", "public.c",
         100, 0, 800, nullptr},
        {"truncate c", "public.c", 2000, 0, 0, nullptr},
        {"truncate e", "public.e", 3, 0, 0, "missing 1;missing 2;missing 3;"},
    };
    for (const Damage& damage : damages) {
      CAPTURE(damage.sql);
      pair.past_guard(damage.sql);
      const auto found = run(pair, {"verify", "--keys", damage.table}, 1)["tables"][0];
      CHECK(found["missing"] == damage.missing);
      CHECK(found["extra"] == damage.extra);
      CHECK(found["different"] == damage.different);
      if (damage.keys != nullptr) {
        CHECK(keys_of(found) == damage.keys);
      }
      const auto mended = run(pair, {"repair", damage.table}, 0);
      CHECK(mended["repaired"].size() == 1);
      CHECK(pair.difference(kTables) == "");
      CHECK(pair.difference({"public.e"}) == "");
    }
  }

  TEST_CASE("a default that was never streamed is found in each row, and mended by one repair") {
    Pair pair;
    pair.on_both("create table e (id int primary key)");
    pair.on_source("insert into e values (1), (2), (3)");
    REQUIRE(pair.begin());
    pair.on_target("alter table e add column state text");
    pair.on_source("alter table e add column state text default 'new'");
    const auto found = run(pair, {"verify", "--keys", "public.e"}, 1)["tables"][0];
    CHECK(keys_of(found) == "different 1;different 2;different 3;");
    run(pair, {"repair", "public.e"}, 0);
    CHECK(pair.difference({"public.e"}) == "");
  }

  TEST_CASE("a dry run names the keys and changes nothing") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    pair.past_guard("delete from c where code = 'it''s 5'");
    const auto shown = run(pair, {"repair", "--dry-run"}, 1);
    CHECK(shown["repaired"].empty());
    CHECK(shown.dump().find("it's 5") != std::string::npos);
    CHECK(pair.count(pair.target.dsn, "c") == 1999);
    run(pair, {"repair"}, 0);
    CHECK(pair.difference(kTables) == "");
    CHECK(run(pair, {"repair"}, 0)["repaired"].empty());
    // Keys are values of rows: they were told to who asked, and to nobody else.
    CHECK(pair.daemon.log_text().find("it's 5") == std::string::npos);
    CHECK(pair.daemon.replctl({"events"}).out.find("it's 5") == std::string::npos);
  }

  TEST_CASE("rows that are written on the source meanwhile end as the source has them") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    std::optional<Writers> writers(
        std::in_place, pair, 1, [](pqxx::nontransaction& session, int64_t number) {
          const std::string id = std::to_string(1 + number % 50);
          session.exec("update a set n = n + 1 where id = " + id +
                       "; update c set v = v + 1 where v % 50 = " + id +
                       "; delete from p where id = " + id + "; insert into p values (" + id + ", " +
                       id + " % 3, 'w')");
          std::this_thread::sleep_for(10ms);  // a build with sanitizers keeps up too
        });
    for (int round = 0; round < 5; ++round) {
      const int64_t before = writers->written();
      REQUIRE(eventually(30s, [&] { return writers->written() > before + 5; }));
      for (const char* damage :
           {"delete from c where v % 7 = 1", "update a set body = 'x' where id % 5 = 1",
            "insert into p values (1000, 1, 'extra')"}) {
        damage_beside_applier(pair, damage);
      }
      run(pair, {"repair"}, 0);
    }
    writers.reset();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference(kTables) == "");
  }

  TEST_CASE("a repair that dies before its commit has changed nothing") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    pair.daemon.start("repair.before_commit=kill");
    REQUIRE(pair.caught_up());
    pair.past_guard("delete from c where v < 10; insert into a values (999, 999)");
    CHECK(pair.daemon.replctl({"repair"}).exit_code != 0);
    CHECK(pair.daemon.wait_for_death() == 128 + SIGKILL);
    CHECK(pair.count(pair.target.dsn, "c") == 1991);
    CHECK(pair.count(pair.target.dsn, "a") == 51);
    REQUIRE(pair.begin());
    run(pair, {"repair"}, 0);
    CHECK(pair.difference(kTables) == "");
  }
}
