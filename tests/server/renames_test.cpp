// Tables that change names, on one side or on both: rows go to the table that was copied, or
// nowhere, and what is known of a table follows it.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "embedded_sql.h"
#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kTables =
    "create table a (id int primary key, n int); create table b (id int primary key, n int)";

// Set aside while the tables are replicas.
constexpr const char* kTriggers =
    "create function touch() returns trigger language plpgsql as $$begin return new; end$$; "
    "create trigger touched before update on a for each row execute function touch(); "
    "create trigger touched before update on b for each row execute function touch()";

// But those that are asked for: one would end a suspicion.
constexpr const char* kNoOtherProofs = "[verify]\nevery = \"0\"";

bool stops(const Pair& pair, const std::string& message) {
  const bool stopped =
      eventually(60s, [&] { return pair.error_message().find(message) != std::string::npos; });
  CAPTURE(pair.link().dump());
  CHECK(stopped);
  return stopped;
}

bool goes_on(const Pair& pair) {
  return pair.daemon.replctl({"resume"}).exit_code == 0 && pair.caught_up();
}

// Names of the tables that the link shows, in order.
std::string shown(const Pair& pair) {
  std::set<std::string> names;
  for (const nlohmann::json link = pair.link(); const auto& table : link["tables"]) {
    names.insert(table["name"].get<std::string>());
  }
  return fmt::format("{}", fmt::join(names, " "));
}

std::string suspected(const Pair& pair) {
  return pair
      .on_target(
          "select coalesce(string_agg(table_name, ' ' order by 1), '') "
          "from repld.table_state where suspicion is not null")[0][0]
      .c_str();
}

std::string trigger_of(const Pair& pair, const std::string& table) {
  return pair
      .on_target("select tgenabled::text from pg_trigger where tgname = 'touched' and tgrelid = '" +
                 table + "'::regclass")[0][0]
      .c_str();
}

}  // namespace

TEST_SUITE("renames") {
  TEST_CASE("a table that takes a name which only the target knows stops the link before a row") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into a values (1, 1)");
    pair.on_target("create table theirs (id int primary key, n int)");
    REQUIRE(pair.begin());
    pair.on_source("alter table a rename to theirs");
    pair.on_source("insert into theirs values (3, 3)");
    REQUIRE(stops(pair, "table \"public.theirs\" of the target is not the one that was copied"));
    CHECK(pair.link()["error"]["detail"].get<std::string>().find("public.a") != std::string::npos);
    CHECK(pair.count(pair.target.dsn, "theirs") == 0);
    CHECK(pair.count(pair.target.dsn, "a") == 1);
    // A comparison, and what would repair it, does not touch it either.
    CHECK(pair.daemon.replctl({"verify"}).exit_code != 0);
    pair.daemon.replctl({"repair"});
    CHECK(pair.count(pair.target.dsn, "theirs") == 0);
    CHECK(sqlstate_of(pair.target.dsn, "insert into theirs values (9)") == "");
    pair.on_target("drop table theirs; alter table a rename to theirs");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.theirs", "public.b"}) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("tables that are renamed on both sides go on, and what is known of them follows") {
    PairOptions options;
    options.extra = kNoOtherProofs;
    Pair pair(options);
    pair.on_both(kTables);
    pair.on_source("insert into a values (1, 1), (2, 2); insert into b values (1, 1)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    pair.on_both("alter table a rename to \"New A\"");
    pair.past_guard("delete from \"New A\" where id = 1");
    pair.on_source("update \"New A\" set n = 7 where id = 1");
    REQUIRE(pair.caught_up());
    CHECK(suspected(pair) == "a");
    CHECK(pair.difference({"public.\"New A\""}) == "");
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    CHECK(shown(pair) == "New A b");
    CHECK(suspected(pair) == "New A");
    for (const nlohmann::json link = pair.link(); const auto& table : link["tables"]) {
      CHECK(table["proof"]["unproven"].get<std::string>().empty() == (table["name"] == "b"));
    }
    CHECK(sqlstate_of(pair.target.dsn, "insert into \"New A\" values (9)") == "25006");
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(suspected(pair) == "");
    CHECK(pair.count(pair.target.dsn, "repld.verification where table_name = 'a'") == 0);
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(sqlstate_of(pair.target.dsn, "insert into \"New A\" values (9)") == "");
  }

  TEST_CASE("what skip leaves out of a renamed table overtakes its proof") {
    PairOptions options;
    options.extra = kNoOtherProofs;
    Pair pair(options);
    pair.on_both(kTables);
    REQUIRE(pair.begin());
    pair.on_target("alter table a add check (n < 100)");
    pair.on_both("alter table a rename to c");
    pair.on_source("insert into c values (1, 500)");
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    const std::string lsn = pair.link()["error"]["transaction"];
    // Its name was followed at no start yet.
    REQUIRE(pair.daemon.replctl({"skip", "--lsn", lsn, "--yes"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(suspected(pair) == "c");
  }

  TEST_CASE("two tables that exchange their names on the source wait for the target to do so") {
    const std::string swap =
        "alter table a rename to tmp; alter table b rename to a; alter table tmp rename to b";
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into a values (1, 1); insert into b values (2, 2)");
    REQUIRE(pair.begin());
    pair.on_source(swap + "; insert into a values (10, 10); insert into b values (11, 11)");
    // Whichever of the two it comes to first.
    REQUIRE(stops(pair, "of the target is not the one that was copied"));
    pair.daemon.terminate();
    pair.daemon.start();
    REQUIRE(stops(pair, "of the target is not the one that was copied"));
    CHECK(pair.count(pair.target.dsn, "a") == 1);
    CHECK(pair.count(pair.target.dsn, "b") == 1);
    pair.on_target(swap);
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.a", "public.b"}) == "");
    CHECK(pair.count(pair.target.dsn, "a where id = 2") == 1);
    // While the link streams, on both at once.
    pair.on_target(swap);
    pair.on_source(swap + "; insert into a values (20, 20)");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.a", "public.b"}) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("a new table under the name of a renamed one joins once the target has both") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into a values (1, 1)");
    REQUIRE(pair.begin());
    const std::string change = "alter table a rename to a_old; create table a (id int primary key)";
    pair.on_source(change + "; insert into a values (100); insert into a_old values (2, 2)");
    REQUIRE(eventually(60s, [&] { return pair.link()["state"] == "paused"; }));
    CHECK(pair.count(pair.target.dsn, "a") == 1);
    pair.on_target(change);
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.a", "public.a_old", "public.b"}) == "");
    CHECK(shown(pair) == "a a_old b");
    pair.on_source("insert into a values (101); insert into a_old values (3, 3)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.a_old", "public.b"}) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("a name that becomes free on both sides is taken by another table of the link") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_both(kTriggers);
    pair.on_source("insert into a values (1, 1)");
    REQUIRE(pair.begin());
    pair.on_both("drop table b; alter table a rename to b");
    pair.on_source("insert into b values (2, 2)");
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.b"}) == "");
    CHECK(shown(pair) == "b");
    CHECK(trigger_of(pair, "b") == "D");
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(trigger_of(pair, "b") == "O");
  }

  TEST_CASE("tables that exchange their names on the target alone take no row of each other") {
    const std::string swap =
        "alter table a rename to tmp; alter table b rename to a; alter table tmp rename to b";
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into a values (1, 1); insert into b values (2, 2)");
    REQUIRE(pair.begin());
    pair.on_source("insert into a values (3, 3); insert into b values (4, 4)");
    REQUIRE(pair.caught_up());
    pair.on_target(swap);
    pair.on_source("insert into a values (10, 10), (11, 11)");
    REQUIRE(stops(pair, "of the target is not the one that was copied"));
    CHECK(pair.count(pair.target.dsn, "a") == 2);
    CHECK(pair.count(pair.target.dsn, "b") == 2);
    pair.on_source(swap + "; insert into a values (12, 12)");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.a", "public.b"}) == "");
    // One that is gone from its name.
    pair.on_target("alter table a rename to elsewhere");
    pair.on_source("insert into a values (20, 20)");
    REQUIRE(stops(pair, "table \"public.a\" is missing on the target"));
    pair.on_target("alter table elsewhere rename to a");
    REQUIRE(goes_on(pair));
    CHECK(pair.difference({"public.a", "public.b"}) == "");
  }

  TEST_CASE("a table that is renamed while it joins is one table") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.a\", \"public.c\", \"public.d\"]";
    Pair pair(options);
    pair.on_both(kTables);
    REQUIRE(pair.begin());
    pqxx::connection other(pair.source.dsn);
    pqxx::work open(other);
    open.exec("select pg_current_xact_id()");
    pair.on_both("create table c (id int primary key, n int)");
    pair.on_source("insert into c values (1, 1)");
    pair.daemon.terminate();
    pair.daemon.start();
    REQUIRE(eventually(60s, [&] {
      return pair.count(pair.target.dsn, "repld.table_state where state = 'joining'") == 1;
    }));
    pair.on_source("alter table c rename to d");
    open.commit();
    REQUIRE(eventually(60s, [&] {
      return pair.daemon.replctl({"events"}).out.find("\"public.d\" is missing") !=
             std::string::npos;
    }));
    pair.on_target("alter table c rename to d");
    REQUIRE(eventually(60s, [&] { return pair.difference({"public.d"}).empty(); }));
    CHECK(pair.count(pair.target.dsn, "repld.table_state where table_name in ('c', 'd')") == 1);
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    CHECK(shown(pair) == "a d");
  }

  TEST_CASE("finalize gives back what was set aside of a table that was renamed since") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_both(kTriggers);
    REQUIRE(pair.begin());
    pair.on_both("alter table a rename to c");
    REQUIRE(trigger_of(pair, "c") == "D");
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(trigger_of(pair, "c") == "O");
    CHECK(trigger_of(pair, "b") == "O");
  }

  TEST_CASE("a target that was dumped and restored goes on by names and guards") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into a values (1, 1)");
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    // Oids of before: of none, and of an index.
    pair.on_target(
        "update repld.table_state set target_oid = case table_name when 'a' then 1 "
        "else 'b_pkey'::regclass end");
    pair.on_source("insert into a values (2, 2); insert into b values (3, 3)");
    REQUIRE(pair.begin());
    CHECK(shown(pair) == "a b");
    CHECK(pair.difference({"public.a", "public.b"}) == "");
  }

  TEST_CASE("a link of an earlier version finds tables that have no guard, if none is in doubt") {
    PairOptions options;
    options.link_extra = "guard = false";
    Pair pair(options);
    pair.on_both(kTables);
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    const std::string nonce =
        pair.on_target("select guard_nonce from repld.progress")[0][0].c_str();
    pair.on_target(
        "create trigger repld_guard_pair before insert on b for each statement "
        "when (current_setting('repld.apply', true) is distinct from '" +
        nonce +
        "') execute function repld.refuse_write('pair'); "
        "update repld.table_state set target_oid = null");
    pair.on_source("insert into a values (2, 2); insert into b values (3, 3)");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.a", "public.b"}) == "");
  }

  TEST_CASE("a table renamed out of the configuration stops the link, and stays a replica") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.a\", \"public.b\"]";
    Pair pair(options);
    pair.on_both(kTables);
    REQUIRE(pair.begin());
    pair.on_both("alter table a rename to c");
    pair.daemon.terminate();
    pair.daemon.start();
    REQUIRE(stops(pair,
                  "a replicated table was renamed to \"public.c\", which the configuration leaves "
                  "out"));
    CHECK(sqlstate_of(pair.target.dsn, "insert into c values (9)") == "25006");
    pair.on_both("alter table c rename to a");
    REQUIRE(goes_on(pair));
  }

  TEST_CASE("a link of an earlier version finds its tables, also those that were renamed since") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into a values (1, 1); insert into b values (2, 2)");
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    pair.on_both("alter table a rename to c");
    pair.on_target(
        "create table a (id int primary key, n int); "
        "alter table repld.table_state drop column target_oid");
    for (const repld::sql::Migration& migration : repld::sql::kMigrations) {
      if (migration.name == "renames") {
        pair.on_target(std::string(migration.text));
      }
    }
    CHECK(pair.count(pair.target.dsn, "repld.table_state where target_oid is not null") == 1);
    pair.on_source("insert into c values (3, 3); insert into b values (4, 4)");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.c", "public.b"}) == "");
    CHECK(pair.count(pair.target.dsn, "a") == 0);
    CHECK(shown(pair) == "b c");
    CHECK(sqlstate_of(pair.target.dsn, "insert into a values (9)") == "");
  }
}
