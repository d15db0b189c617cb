// Foreign keys between a table that lives on the target and a replicated one: set aside, so that
// nothing that the link applies reaches the rows of the former; back with finalize.
#include <doctest/doctest.h>

#include "doctor_runs.h"

using namespace repld::testing;

namespace {

constexpr const char* kGroup =
    "[[groups]]\nname = \"here\"\ntables = [\"public.here_*\"]\nprimary = \"target\"\n";

// clients <- here_keys (cascading), and bookings -> here_staff; both `here_` live on the target.
constexpr const char* kTables =
    "create table clients (id int primary key, parent int); "
    "create table bookings (id int primary key, staff int); ";
constexpr const char* kHere =
    "create table here_keys (id int primary key, client int constraint keys_client references "
    "clients on delete cascade on update cascade); "
    "create table here_staff (id int primary key); insert into here_staff values (1); "
    "alter table bookings add constraint bookings_staff foreign key (staff) references here_staff";

PairOptions with_group() {
  PairOptions options;
  options.extra = kGroup;
  return options;
}

void load(const Pair& pair) {
  pair.on_both(kTables);
  pair.on_target(kHere);
  pair.on_source(
      "insert into clients select i from generate_series(1, 10) i; "
      "insert into bookings select i, 1 from generate_series(1, 10) i");
}

std::string validated(const Pair& pair, const std::string& constraint) {
  const auto rows = pair.on_target(
      "select convalidated::text from pg_constraint where conname = '" + constraint + "'");
  return rows.empty() ? "" : rows[0][0].c_str();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_SUITE("target_groups") {
  TEST_CASE("what the source deletes, moves or truncates takes no row of theirs along") {
    Pair pair(with_group());
    load(pair);
    REQUIRE(pair.begin());
    pair.on_target("insert into here_keys select i, i from generate_series(1, 10) i");
    pair.on_source("delete from clients where id > 8; update clients set id = 100 where id = 8");
    REQUIRE(pair.caught_up());
    CHECK(pair.count(pair.target.dsn, "here_keys where id = client") == 10);
    pair.on_source("truncate clients; insert into clients values (1, null)");
    pair.on_target("truncate here_staff");
    pair.daemon.kill9();
    pair.on_source("delete from clients; insert into clients values (2, null)");
    REQUIRE(pair.begin());
    CHECK(pair.count(pair.target.dsn, "here_keys where id = client") == 10);
    CHECK(pair.difference({"public.clients", "public.bookings"}) == "");
    CHECK_FALSE(has(pair.daemon.replctl({"events"}).out, "drift"));
  }

  TEST_CASE(
      "rows that such a key would refuse are counted by verify, also of odd types and names") {
    Pair pair(with_group());
    as_admin(pair.target, "create extension if not exists citext schema public");
    load(pair);
    pair.on_both("create table \"Odd, (1)\" (\"a \"\"b\" text, n int, unique (\"a \"\"b\", n))");
    pair.on_target(
        "alter table \"Odd, (1)\" alter \"a \"\"b\" type citext; "
        "create table here_odd (id int primary key, a citext, n int, constraint odd_full foreign "
        "key (a, n) references \"Odd, (1)\" (\"a \"\"b\", n) match full)");
    pair.on_source(
        "alter table \"Odd, (1)\" replica identity full; insert into \"Odd, (1)\" values ('X', 1)");
    REQUIRE(pair.begin());
    pair.on_target(
        "insert into here_keys select i, i from generate_series(1, 10) i; "
        "insert into here_keys values (11, null); "
        "insert into here_odd values (1, 'x', 1), (2, null, null)");
    const auto verify = [&] { return pair.daemon.replctl({"verify", "--json"}); };
    CHECK(nlohmann::json::parse(verify().out)["orphans"] == nlohmann::json::array());
    pair.on_target("insert into here_odd values (3, 'x', 2), (4, 'x', null)");
    pair.on_source("delete from clients where id > 7");
    REQUIRE(pair.caught_up());
    const Outcome outcome = verify();
    CHECK(outcome.exit_code == 0);
    const nlohmann::json orphans = nlohmann::json::parse(outcome.out)["orphans"];
    REQUIRE(orphans.size() == 2);
    CHECK(orphans[0]["foreign_key"] == "keys_client");
    CHECK(orphans[0]["table"] == "public.here_keys");
    CHECK(orphans[0]["rows"] == 3);
    CHECK(orphans[1]["foreign_key"] == "odd_full");
    CHECK(orphans[1]["rows"] == 2);
    CHECK(has(pair.daemon.replctl({"verify"}).out,
              "foreign key keys_client of public.here_keys, set aside: 3 rows on the target"));
  }

  TEST_CASE("they come back with finalize: whole where they hold, for new rows where not") {
    Pair pair(with_group());
    load(pair);
    REQUIRE(pair.begin());
    pair.on_target("insert into here_keys select i, i from generate_series(1, 10) i");
    pair.on_source("delete from clients where id = 10");
    REQUIRE(pair.caught_up());
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(validated(pair, "bookings_staff") == "true");
    CHECK(validated(pair, "keys_client") == "false");
    CHECK(has(pair.daemon.replctl({"events"}).out,
              "foreign key \"keys_client\" of \"public.here_keys\" could not be validated"));
    CHECK(pair.count(pair.target.dsn, "here_keys") == 10);
    CHECK(sqlstate_of(pair.target.dsn, "insert into here_keys values (11, 10)") == "23503");
    pair.on_target("delete from here_keys where client = 10");
    pair.on_target("alter table here_keys validate constraint keys_client");
    pair.on_target("delete from clients where id = 9");
    CHECK(pair.count(pair.target.dsn, "here_keys") == 8);
  }

  TEST_CASE("the preflight names them on either side of the border, and which matters") {
    Pair pair(with_group());
    load(pair);
    const Preflight preflight(pair.daemon);
    CHECK(text_of(preflight.errors()) == "");
    const std::string warnings = text_of(preflight.problems({"warning"}));
    CHECK_MESSAGE(has(warnings,
                      "target warning [foreign_key] foreign key keys_client of "
                      "public.here_keys, which references public.clients, is set aside"),
                  warnings);
    CHECK_MESSAGE(has(warnings,
                      "foreign key bookings_staff of public.bookings, which references "
                      "public.here_staff, is set aside"),
                  warnings);
  }

  // Until the next session sets it aside. NO ACTION stops the link rather than lose a row.
  TEST_CASE("a foreign key that is made while the link runs is set aside at its next start") {
    Pair pair(with_group());
    load(pair);
    REQUIRE(pair.begin());
    pair.on_target(
        "create table here_late (id int primary key, client int constraint late references "
        "clients); insert into here_late values (1, 1)");
    pair.on_source("delete from clients where id = 1");
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    CHECK(pair.link()["error"]["sqlstate"] == "23503");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(validated(pair, "late") == "");
    CHECK(pair.count(pair.target.dsn, "here_late") == 1);
    CHECK(pair.difference({"public.clients"}) == "");
  }
}
