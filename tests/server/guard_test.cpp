// A replica refuses writes from anyone but repld, and gets back what it had afterwards.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

// Everything about triggers, rules and constraints that the set-up may touch.
std::string surroundings_of(const Pair& pair) {
  return pair
      .on_target(
          "select string_agg(line, E'\\n' order by line) from ("
          "select tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text as line from "
          "pg_trigger "
          "where not tgisinternal union all "
          "select ev_class::regclass || ' ' || rulename || ' ' || ev_enabled::text from pg_rewrite "
          "where ev_class > 16384 union all "
          "select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from "
          "pg_constraint where contype = 'f') lines")[0][0]
      .c_str();
}

constexpr const char* kSchema =
    "create function touch() returns trigger language plpgsql as $$ begin new.at = now(); "
    "return new; end $$; create table a (id int primary key, at timestamptz); "
    "create table b (id int primary key, a_id int references a on delete cascade "
    "on update cascade); create table p (id int, k int, a_id int references a (id), "
    "at timestamptz, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); create table c (id int primary key, "
    "a_id int); alter table c add constraint c_late foreign key (a_id) references a not valid; "
    "create trigger touch before update on a for each row execute function touch(); "
    "create trigger touch_always before update on p for each row execute function touch(); "
    "create trigger off before update on b for each row execute function touch(); "
    "alter table b disable trigger off; alter table a enable always trigger touch; "
    "create rule quiet as on delete to b do also notify deleted";

}  // namespace

TEST_SUITE("guard") {
  TEST_CASE("writes to a replica fail: as owner, as superuser, on a leaf, truncate too") {
    Pair pair;
    pair.on_both(kSchema);
    pair.on_source("insert into a values (1, null); insert into p values (1, 1, 1, null)");
    REQUIRE(pair.begin());
    for (const std::string& dsn : {pair.target.dsn, pair.target.superuser_dsn}) {
      CHECK(sqlstate_of(dsn, "insert into a values (2, null)") == "25006");
      CHECK(sqlstate_of(dsn, "update p set at = now()") == "25006");
      CHECK(sqlstate_of(dsn, "update p1 set at = now()") == "25006");
      CHECK(sqlstate_of(dsn, "delete from p1") == "25006");
      CHECK(sqlstate_of(dsn, "truncate p1") == "25006");
      CHECK(sqlstate_of(dsn, "truncate a cascade") == "25006");
      const bool may_set = sqlstate_of(dsn, "set session_replication_role = replica") == "";
      CHECK(may_set == (dsn == pair.target.superuser_dsn || replica_role_granted()));
      CHECK(sqlstate_of(dsn, "set session_replication_role = replica; delete from a") ==
            (may_set ? "25006" : "42501"));
      CHECK(sqlstate_of(dsn, "select * from a") == "");
    }
  }

  TEST_CASE("triggers, rules and referential actions do not act on a replica, and come back") {
    Pair pair;
    pair.on_both(kSchema);
    const std::string before = surroundings_of(pair);
    pair.on_source(
        "insert into a select i, '2001-01-01' from generate_series(1, 10) i; "
        "insert into b select i, i from generate_series(1, 10) i; "
        "insert into p values (1, 1, 1, '2001-01-01')");
    REQUIRE(pair.begin());
    pair.on_source("update a set at = at; update p set at = at");
    pair.on_source("delete from a where id > 5; update a set id = 100 where id = 5");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.p"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("drift") == std::string::npos);
    CHECK(pair.on_target("select count(*) from repld.set_aside")[0][0].as<int>() >= 5);

    const Outcome finalized = pair.daemon.replctl({"finalize", "--yes"});
    CHECK_MESSAGE(finalized.exit_code == 0, finalized.err);
    CHECK(surroundings_of(pair) == before);
    CHECK(sqlstate_of(pair.target.dsn, "insert into a values (900, null)") == "");
    CHECK(pair.on_source("select count(*) from pg_replication_slots")[0][0].as<int>() == 0);
    CHECK(pair.on_source("select count(*) from pg_publication where pubname like 'repld%'")[0][0]
              .as<int>() == 0);
  }

  TEST_CASE("a foreign key that the source lacks does not forbid its TRUNCATE") {
    Pair pair;
    pair.on_both(
        "create table a (id int primary key); create table b (id int primary key, a_id int, "
        "constraint b_a foreign key (a_id) references a)");
    // Not replicated: the source has no such table.
    pair.on_target(
        "create table aside (id int primary key, a_id int, constraint aside_a foreign key (a_id) "
        "references a)");
    pair.on_source("insert into a values (1); insert into b values (1, 1)");
    REQUIRE(pair.begin());
    pair.on_source("alter table b drop constraint b_a; truncate a; insert into a values (1)");
    REQUIRE(pair.caught_up(20s));
    CHECK(pair.difference({"public.a", "public.b"}) == "");
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(surroundings_of(pair) ==
          "aside aside_a FOREIGN KEY (a_id) REFERENCES a(id)\n"
          "b b_a FOREIGN KEY (a_id) REFERENCES a(id)");
  }

  TEST_CASE("foreign keys that an earlier version left NOT ENFORCED are dropped and come back") {
    Pair pair;
    if (pair.target.cluster->version() < 18) {
      return;
    }
    pair.on_both(
        "create table a (id int primary key); create table b (id int primary key, a_id int, "
        "constraint b_a foreign key (a_id) references a)");
    pair.on_target(
        "create table own (id int primary key, a_id int, constraint own_a foreign key (a_id) "
        "references a not enforced)");
    pair.on_source("insert into a values (1); insert into b values (1, 1)");
    const std::string before = surroundings_of(pair);
    REQUIRE(pair.begin());
    const std::string as_earlier =
        "alter table b add constraint b_a foreign key (a_id) references a not enforced; "
        "update repld.set_aside set how = 'not_enforced' where name = 'b_a'";
    pair.daemon.terminate();
    pair.on_target(as_earlier);
    REQUIRE(pair.begin());
    CHECK(pair.count(pair.target.dsn, "pg_constraint where conname = 'b_a'") == 0);
    pair.on_target(as_earlier);
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(surroundings_of(pair) == before);
    CHECK(pair.count(pair.target.dsn, "pg_constraint where conname = 'b_a' and convalidated") == 1);
  }

  TEST_CASE("what is set aside and made again by hand is set aside again at the next start") {
    Pair pair;
    pair.on_both(kSchema);
    pair.on_source("insert into a values (1, null); insert into b values (1, 1)");
    const std::string before = surroundings_of(pair);
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    pair.on_target(
        "alter table a enable always trigger touch; alter table b enable rule quiet; "
        "alter table p enable trigger touch_always; drop table p1; "
        "create table p1 partition of p for values in (1); "
        "alter table b add constraint b_a_id_fkey foreign key (a_id) references a "
        "on update cascade on delete cascade");
    REQUIRE(pair.begin());
    CHECK(pair.on_target("select count(*) from repld.set_aside where kind = 'foreign_key'")[0][0]
              .as<int>() == 3);
    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(surroundings_of(pair) == before);
  }

  TEST_CASE("after finalize the same name starts afresh") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    pair.on_source("insert into t values (1)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    pair.on_target("truncate t");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    pair.on_source("insert into t values (2)");
    CHECK(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
