// replctl cutover and replctl rollback: over and back, with every row.
#include <doctest/doctest.h>

#include "server/cutover_runs.h"

using namespace repld::testing;

namespace {

// Everything about triggers and keys of the tables that matters to who writes to them.
std::string ways_of(const Platform& side) {
  return Pair::run_sql(
             side.superuser_dsn,
             "select string_agg(line, E'\\n' order by line) from ("
             "select tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text as line "
             "from pg_trigger where not tgisinternal and tgname not like 'repld%' union all "
             "select conrelid::regclass || ' ' || conname || ' ' || convalidated "
             "from pg_constraint where contype = 'f') lines")[0][0]
      .as<std::string>("");
}

}  // namespace

TEST_SUITE("cutover") {
  TEST_CASE(
      "over and back: every row, keys, triggers, sequences, and the way the others are told") {
    MovingPair pair;
    pair.on_both("create sequence loose");
    REQUIRE(pair.ready());
    const std::string before = ways_of(pair.source);
    CHECK(pair.primary() == "source");

    const Outcome over = pair.cutover();
    REQUIRE_MESSAGE(over.exit_code == 0, over.out << over.err);
    CHECK_MESSAGE(has(over.out, "writers waited"), over.out);
    CHECK(pair.primary() == "target");
    CHECK(pair.write(pair.source) == "25006");
    CHECK(pair.write(pair.target) == "");
    CHECK(ways_of(pair.target) == before);
    // An identity that went on from where the source stood, and the trigger fires once.
    CHECK(pair.count(pair.target.dsn, "public.a where body = 'more' and touched = 1 and id > 50") ==
          1);
    // No table uses it; the margin is what only the cutover adds.
    CHECK(pair.on_target("select nextval('loose')")[0][0].as<int>() > 1000);
    pair.on_target(
        "insert into b (a_id) select max(id) from a; update p set body = 'new'; "
        "delete from a where id = 1");
    CHECK(pair.count(pair.target.dsn, "public.b where a_id = 1") == 0);
    CHECK_MESSAGE(pair.becomes_equal(), pair.unequal() << pair.daemon.replctl({"events"}).out);

    const Outcome back = pair.rollback();
    REQUIRE_MESSAGE(back.exit_code == 0, back.out << back.err);
    CHECK(pair.primary() == "source");
    CHECK(pair.write(pair.target) == "25006");
    CHECK(pair.write(pair.source) == "");
    CHECK(ways_of(pair.source) == before);
    CHECK_MESSAGE(pair.becomes_equal(), pair.unequal());
    CHECK(pair.count(pair.source.dsn, "public.a where touched <> 1") == 0);
    const auto routes = pair.on_source("select primary_side, generation from repld.route");
    CHECK(std::string(routes[0][0].c_str()) == "source");
    CHECK(routes[0][1].as<int>() == 2);
  }

  TEST_CASE("who waits for a table while it moves is told where it lives now") {
    MovingPair pair;
    REQUIRE(pair.ready());
    pqxx::connection writer(pair.source.dsn);
    pqxx::work work(writer);
    work.exec("set search_path = public");
    REQUIRE(pair.cutover().exit_code == 0);
    try {
      work.exec("insert into a (body) values ('late')");
      FAIL("it was taken");
    } catch (const pqxx::sql_error& failure) {
      CHECK(repld::pg::sqlstate_of(failure) == "25006");
      CHECK_MESSAGE(has(failure.what(), "replica"), failure.what());
      CHECK_MESSAGE(has(failure.what(), "target database"), failure.what());
    }
  }

  TEST_CASE("a rehearsal prints the plan and changes nothing on either side") {
    MovingPair pair;
    REQUIRE(pair.ready());
    const auto catalogs = [&](const Platform& side) {
      return Pair::run_sql(
                 side.superuser_dsn,
                 "select md5(string_agg(line, E'\\n' order by line)) from ("
                 "select 'c' || c.oid || c.relname || c.relkind::text as line from pg_class c "
                 "union all "
                 "select 't' || t.oid || t.tgname || t.tgenabled::text from pg_trigger t union all "
                 "select 'k' || k.oid || k.conname from pg_constraint k union all "
                 "select 's' || slot_name from pg_replication_slots union all "
                 "select 'p' || pubname from pg_publication union all "
                 "select 'n' || nspname from pg_namespace where nspname not like 'pg_%') x")[0][0]
          .as<std::string>();
    };
    const std::string source = catalogs(pair.source);
    const std::string target = catalogs(pair.target);
    const Outcome rehearsed = pair.daemon.replctl({"cutover", "--dry-run"});
    CHECK_MESSAGE(rehearsed.exit_code == 0, rehearsed.out << rehearsed.err);
    CHECK_MESSAGE(has(rehearsed.out, "point of no return"), rehearsed.out);
    CHECK_MESSAGE(has(rehearsed.out, "about "), rehearsed.out);
    CHECK(catalogs(pair.source) == source);
    CHECK(catalogs(pair.target) == target);
    CHECK(pair.write(pair.source) == "");
    CHECK(pair.primary() == "source");
  }

  TEST_CASE("without a way back there is none, and the old side stays closed") {
    MovingPair pair;
    REQUIRE(pair.ready());
    REQUIRE(pair.cutover({"--without-reverse"}).exit_code == 0);
    CHECK(pair.write(pair.source) == "25006");
    CHECK(pair.write(pair.target) == "");
    CHECK(pair.rollback().exit_code == 1);
    CHECK(pair.write(pair.target) == "");
  }

  TEST_CASE("a group moves alone") {
    MovingPair pair("[[groups]]\nname = \"parts\"\ntables = [\"public.p\"]\n");
    REQUIRE(pair.ready());
    const Outcome over = pair.cutover({"--group", "parts"});
    REQUIRE_MESSAGE(over.exit_code == 0, over.out << over.err);
    CHECK(pair.primary("parts") == "target");
    CHECK(pair.primary("all") == "source");
    CHECK(pair.write(pair.source) == "");
    CHECK(pair.write(pair.target) == "25006");
    CHECK(sqlstate_of(pair.source.dsn, "insert into p values (900, 1, 'x')") == "25006");
    CHECK(sqlstate_of(pair.source.dsn, "insert into p1 values (900, 1, 'x')") == "25006");
    CHECK(sqlstate_of(pair.target.dsn, "insert into p values (900, 1, 'x')") == "");
    CHECK_MESSAGE(pair.becomes_equal(), pair.unequal());
    REQUIRE(pair.rollback({"--group", "parts"}).exit_code == 0);
    CHECK(sqlstate_of(pair.source.dsn, "insert into p values (901, 1, 'x')") == "");
    CHECK_MESSAGE(pair.becomes_equal(), pair.unequal());
  }

  TEST_CASE("a group that foreign keys tie to another does not move alone") {
    MovingPair pair("[[groups]]\nname = \"some\"\ntables = [\"public.b\"]\n");
    REQUIRE(pair.ready());
    const Outcome over = pair.cutover({"--group", "some"});
    CHECK(over.exit_code == 1);
    CHECK_MESSAGE(has(over.out, "foreign key"), over.out << over.err);
    CHECK(pair.primary("some") == "source");
  }
}
