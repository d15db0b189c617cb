// A target that is not what it should be: drift is mended and counted, never hidden; a row that the
// target swallows stops the link.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kSwallow =
    "create function swallow() returns trigger language plpgsql as $$ begin return null; end $$; "
    "create trigger swallow before insert or update or delete on t for each row "
    "execute function swallow()";

}  // namespace

TEST_SUITE("drift") {
  TEST_CASE("an insert that finds its row there already overwrites it and counts it") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text)");
    REQUIRE(pair.begin());
    pair.past_guard("insert into t values (1, 'stray')");
    pair.on_source("insert into t values (1, 'right')");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(eventually(5s, [&] { return pair.link()["tables"][0]["unexpected_rows"] == 1; }));
    CHECK(pair.daemon.replctl({"events"}).out.find("1 that should not") != std::string::npos);
  }

  TEST_CASE("rows that only the target's key takes for one stop the link instead of merging") {
    Pair pair;
    pair.on_source("create table t (id int, a text); alter table t replica identity full");
    pair.on_target("create table t (id int primary key, a text)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1, 'first'), (1, 'second')");
    REQUIRE(pair.paused_with("23505"));
    CHECK(pair.count(pair.target.dsn, "t") == 0);
  }

  TEST_CASE("a table without a key on the source is followed by the whole row, also by an index") {
    Pair pair;
    pair.on_source("create table t (id int, a text); alter table t replica identity full");
    pair.on_target("create table t (id int primary key, a text)");
    pair.on_source("insert into t select i, 'a' from generate_series(1, 100) i");
    REQUIRE(pair.begin());
    pair.on_source(
        "update t set a = 'b' where id < 50; update t set id = id + 1000 where id = 7; "
        "delete from t where id > 90");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("of rows that are equal but print differently the right one goes") {
    Pair pair;
    pair.on_both("create table n (v numeric); create table f (v float8); create table j (v jsonb)");
    pair.on_source(
        "alter table n replica identity full; alter table f replica identity full; "
        "alter table j replica identity full; insert into n values (1.0), (1.00); "
        "insert into f values (0), ('-0'); "
        "insert into j values ('{\"a\": 1.0}'), ('{\"a\": 1.00}')");
    REQUIRE(pair.begin());
    pair.on_source(
        "delete from n where v::text = '1.00'; delete from f where v::text = '-0'; "
        "update j set v = '{}' where v::text = '{\"a\": 1.00}'");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.n", "public.f", "public.j"}) == "");
  }

  TEST_CASE("a row that a trigger of the target swallows stops the link, and is not lost") {
    for (const char* change : {"insert into t values (3, 'x')", "update t set a = 'y' where id = 1",
                               "delete from t where id = 2"}) {
      CAPTURE(change);
      Pair pair;
      pair.on_both("create table t (id int primary key, a text)");
      pair.on_source("insert into t values (1, 'a'), (2, 'b')");
      REQUIRE(pair.begin());
      pair.on_target(kSwallow);
      pair.on_source(change);
      REQUIRE(pair.paused_with("22012"));
      pair.on_target("drop trigger swallow on t");
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
      REQUIRE(pair.caught_up());
      CHECK(pair.difference({"public.t"}) == "");
    }
  }

  TEST_CASE(
      "without a guard a swallowed row stops the link too, and writes of others are no drift") {
    PairOptions options;
    options.link_extra = "guard = false";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, a text)");
    pair.on_source("insert into t values (1, 'a')");
    REQUIRE(pair.begin());
    pair.on_target("insert into t values (2, 'theirs'); delete from t where id = 1");
    pair.on_source("insert into t values (2, 'ours'); update t set a = 'b' where id = 1");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.link()["tables"][0]["missing_rows"] == 0);
    pair.on_target(kSwallow);
    pair.on_source("insert into t values (3, 'x')");
    REQUIRE(pair.paused_with("22012"));
  }

  TEST_CASE("words of the target's triggers and functions never reach the log") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text)");
    pair.on_target(
        "create function tell(v text) returns boolean language plpgsql as $$ begin "
        "raise warning 'checking %', v; return v <> 'SECRET-2'; end $$; "
        "alter table t add constraint told check (tell(a))");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1, 'SECRET-1')");
    REQUIRE(pair.caught_up());
    pair.on_source("insert into t values (2, 'SECRET-2')");
    REQUIRE(pair.paused_with("23514"));
    CHECK((pair.daemon.log_text() + pair.daemon.status_json()).find("SECRET") == std::string::npos);
  }

  TEST_CASE("a key with an always generated column follows the change of the other column") {
    Pair pair;
    pair.on_both(
        "create table g (id int generated always as identity, ten int, a text, "
        "primary key (id, ten))");
    pair.on_source("insert into g (ten, a) select 1, 'a' from generate_series(1, 5)");
    REQUIRE(pair.begin());
    pair.on_source("update g set ten = 2 where id = 3");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.g"}) == "");
  }
}
