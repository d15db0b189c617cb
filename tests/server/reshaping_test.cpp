// What changes the set of rows and streams nothing, or streams under a name that is gone: a
// comparison finds it, a repair mends it, and nothing is taken for equal meanwhile.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

constexpr const char* kParted =
    "create table p (id int primary key, a text) partition by range (id); "
    "create table p1 partition of p for values from (0) to (10); "
    "create table p2 partition of p for values from (10) to (20)";

std::string replctl(const Pair& pair, const std::string& command) {
  const auto outcome = pair.daemon.replctl({command});
  return outcome.out + outcome.err;
}

// "public.t 1/2/3": rows missing, extra, different; of those that differ or are unproven.
std::string differences(const Pair& pair) {
  const auto outcome = pair.daemon.replctl({"--json", "verify"});
  const auto json = nlohmann::json::parse(outcome.out, nullptr, false);
  if (!json.is_object()) {
    return outcome.out + outcome.err;
  }
  std::string text;
  for (const auto& table : json["tables"]) {
    const std::string counts = table["missing"].dump() + "/" + table["extra"].dump() + "/" +
                               table["different"].dump() + table["unproven"].get<std::string>();
    if (counts != "0/0/0") {
      text += table["table"].get<std::string>() + " " + counts;
    }
  }
  return text;
}

}  // namespace

TEST_SUITE("reshaping") {
  TEST_CASE("a partition that is attached with its rows is found, and brought by a repair") {
    Pair pair;
    pair.on_both(kParted);
    pair.on_source("insert into p select i, 'x' from generate_series(1, 15) i");
    REQUIRE(pair.begin());
    pair.on_source(
        "create table p3 (id int primary key, a text); "
        "insert into p3 select i, 'y' from generate_series(20, 25) i; "
        "alter table p attach partition p3 for values from (20) to (30)");
    pair.on_source("insert into p values (19, 'z')");
    REQUIRE(pair.caught_up());
    CHECK(differences(pair) == "public.p 6/0/0");
    const std::string told = replctl(pair, "repair");
    CHECK_MESSAGE(pair.difference({"public.p"}) == "", told);
    pair.on_source("update p set a = 'w' where id > 20; insert into p values (29, 'v')");
    REQUIRE(pair.caught_up());
    CHECK(differences(pair) == "");
    CHECK(pair.difference({"public.p", "public.p3"}) == "");
    CHECK(sqlstate_of(pair.target.dsn, "insert into p3 values (28)") == "25006");
  }

  TEST_CASE("rows of a partition that is detached or dropped are found, and removed by a repair") {
    Pair pair;
    pair.on_both(kParted);
    pair.on_source("insert into p select i, 'x' from generate_series(1, 15) i");
    REQUIRE(pair.begin());
    pair.on_source("alter table p detach partition p2; update p2 set a = 'gone'");
    pair.on_source("insert into p values (9, 'z') on conflict (id) do update set a = 'z'");
    REQUIRE(pair.caught_up());
    CHECK(differences(pair) == "public.p 0/6/0");
    std::string told = replctl(pair, "repair");
    CHECK_MESSAGE(pair.difference({"public.p"}) == "", told);
    pair.on_source("drop table p1");
    CHECK(differences(pair) == "public.p 0/9/0");
    told = replctl(pair, "repair");
    CHECK_MESSAGE(pair.difference({"public.p"}) == "", told);
    CHECK(differences(pair) == "");
  }

  TEST_CASE(
      "a partition that was dropped before its changes were applied stops the link, and can be "
      "passed") {
    Pair pair;
    pair.on_both(kParted);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    pair.on_source("create table p3 partition of p for values from (20) to (30)");
    // Streams once it is in the publication.
    REQUIRE(eventually(20s, [&] {
      return pair.count(pair.source.dsn, "pg_publication_tables where tablename = 'p3'") == 1;
    }));
    pair.on_source("insert into p values (21, 'x'); drop table p3; insert into p values (1, 'y')");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(eventually(20s, [&] {
      return pair.error_message().find("gone from the source") != std::string::npos;
    }));
    pair.on_target("create table p3 partition of p for values from (20) to (30)");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    pair.on_target("drop table p3");
    CHECK(pair.difference({"public.p"}) == "");
  }

  TEST_CASE(
      "a partition that was detached before its first row was applied stops the link, which says "
      "what to do") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.p\"]";
    Pair pair(options);
    pair.on_both(kParted);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    pair.on_source("create table p3 partition of p for values from (20) to (30)");
    REQUIRE(eventually(20s, [&] {
      return pair.count(pair.source.dsn, "pg_publication_tables where tablename = 'p3'") == 1;
    }));
    pair.on_source("insert into p values (21, 'x')");
    pair.on_source("alter table p detach partition p3; insert into p values (1, 'y')");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    const bool stopped = eventually(20s, [&] { return !pair.link()["error"].is_null(); });
    REQUIRE_MESSAGE(stopped, pair.link().dump());
    const auto error = pair.link()["error"];
    CHECK(error["message"] == "table \"public.p3\" is missing on the target");
    CHECK(error["hint"].get<std::string>().find("with the bounds that it had") !=
          std::string::npos);
    CHECK(error["transaction"] != "");
    // A table that is none of the link's takes no row, though it has the name.
    pair.on_target("create table p3 (id int primary key, a text)");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(eventually(20s, [&] {
      return pair.error_message().find("not one that the link replicates") != std::string::npos;
    }));
    CHECK(pair.count(pair.target.dsn, "p3") == 0);
    pair.on_target("alter table p attach partition p3 for values from (20) to (30)");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    pair.on_target("alter table p detach partition p3");
    CHECK(pair.difference({"public.p", "public.p3"}) == "");
  }

  TEST_CASE("a partition that is detached joins as a table of its own, once it is one there too") {
    Pair pair;
    pair.on_both(kParted);
    REQUIRE(pair.begin());
    pair.on_source("alter table p detach partition p2; insert into p2 values (11, 'x')");
    pair.daemon.terminate();
    pair.daemon.start();
    REQUIRE(eventually(20s, [&] {
      return pair.link().dump().find("is a partition of \\\"public.p\\\" on the target") !=
             std::string::npos;
    }));
    pair.on_source("insert into p values (1, 'y')");
    CHECK(eventually(20s, [&] { return pair.difference({"public.p"}).empty(); }));
    pair.on_target("alter table p detach partition p2");
    const bool joined = eventually(60s, [&] {
      return pair.difference({"public.p", "public.p2"}).empty();
    });
    CHECK_MESSAGE(joined, pair.link().dump());
  }

  TEST_CASE("a partition that joins as a table of its own amid a session gets its rows then") {
    Pair pair;
    pair.on_both(kParted);
    pair.on_target("create table other partition of p default");
    REQUIRE(pair.begin());
    // Keeps tables joining.
    pair.on_source("create table held (id int primary key)");
    pair.daemon.terminate();
    pair.daemon.start();
    REQUIRE(eventually(60s, [&] {
      return replctl(pair, "events").find("\"public.held\" is missing") != std::string::npos;
    }));
    pair.on_source("insert into p values (11, 'x'); delete from p where id = 11");
    REQUIRE(pair.caught_up());
    pair.on_both("alter table p detach partition p2");
    pair.on_source("insert into p2 values (12, 'y')");
    REQUIRE(eventually(60s, [&] { return pair.count(pair.target.dsn, "p2") == 1; }));
    pair.on_source(
        "insert into p2 values (13, 'z'); update p2 set a = 'w' where id = 12; "
        "insert into p values (1, 'v')");
    REQUIRE(eventually(60s, [&] { return pair.difference({"public.p", "public.p2"}).empty(); }));
    CHECK(pair.count(pair.target.dsn, "p2") == 2);
    CHECK(pair.count(pair.target.dsn, "other") == 0);
  }

  TEST_CASE("a table that is renamed stops the link, and goes on under its new name") {
    Pair pair;
    pair.on_both(
        "create table t (id int primary key, a text); create table u (id int primary key)");
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (2, 'before'); alter table t rename to \"New T\"");
    pair.on_source("insert into \"New T\" values (3, 'after'); insert into u values (1)");
    const bool paused = eventually(20s, [&] { return pair.link()["state"] == "paused"; });
    REQUIRE_MESSAGE(paused, pair.link().dump());
    CHECK(pair.error_message() == "table \"public.New T\" is missing on the target");
    pair.on_target("alter table t rename to \"New T\"");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    CHECK_MESSAGE(pair.caught_up(20s), pair.link().dump());
    CHECK(pair.difference({"public.\"New T\"", "public.u"}) == "");
    CHECK(sqlstate_of(pair.target.dsn, "insert into \"New T\" values (9)") == "25006");
    CHECK(differences(pair) == "");
  }

  TEST_CASE("a table that another one replaces under its name stops the link") {
    // What each adds is written to the new one, of which nothing streams or nothing belongs here.
    for (const char* change :
         {"create table t2 (like t including all); alter table t rename to t_old; "
          "alter table t2 rename to t; insert into t values (10, 'new')",
          "alter table t rename to t_old; alter table t_old alter id drop default; "
          "create table t (like t_old) partition by range (id); "
          "alter table t attach partition t_old for values from (0) to (10); "
          "create table t_new partition of t default; insert into t values (10, 'new')"}) {
      CAPTURE(change);
      Pair pair;
      pair.on_both(
          "create table t (id int primary key, a text); create table u (id int primary key, a "
          "text)");
      pair.on_source("insert into t values (1, 'x'); insert into u values (2, 'y')");
      REQUIRE(pair.begin());
      pair.on_source(change);
      REQUIRE(eventually(
          60s, [&] { return pair.error_message() == "tables were replaced on the source"; }));
      CHECK(pair.count(pair.target.dsn, "t where id = 10") == 0);
      CHECK(pair.count(pair.target.dsn, "u where id = 10") == 0);
      pair.daemon.terminate();
      pair.daemon.start();
      CHECK(eventually(
          30s, [&] { return pair.error_message() == "tables were replaced on the source"; }));
    }
  }

  TEST_CASE("an unlogged partition stops the link, and what it had is found once it is logged") {
    for (const char* made : {"create unlogged table p3 partition of p for values from (20) to (30)",
                             "create table p3 partition of p for values from (20) to (30); "
                             "insert into p values (21, 'arrives'); alter table p3 set unlogged"}) {
      CAPTURE(made);
      Pair pair;
      pair.on_both(kParted);
      pair.on_source("insert into p values (1, 'x')");
      REQUIRE(pair.begin());
      pair.on_source(made);
      const auto told = [&] {
        return pair.error_message() == "partitions whose changes are in no WAL";
      };
      REQUIRE_MESSAGE(eventually(60s, told), pair.link().dump());
      CHECK(pair.link()["error"]["table"] == "public.p3");
      pair.daemon.terminate();
      pair.daemon.start();
      CHECK(eventually(30s, told));
      pair.on_source("insert into p values (25, 'not in the WAL')");
      pair.on_source("alter table p3 set logged");
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
      pair.on_source("insert into p values (2, 'y'), (26, 'z')");
      REQUIRE_MESSAGE(pair.caught_up(20s), pair.link().dump());
      CHECK(differences(pair) == "public.p 1/0/0");
      const std::string repaired = replctl(pair, "repair");
      CHECK_MESSAGE(pair.difference({"public.p"}) == "", repaired);
    }
  }

  TEST_CASE("a table that is published cannot be made unlogged") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    CHECK(sqlstate_of(pair.source.dsn, "alter table t set unlogged") == "55000");
  }

  TEST_CASE("a partition that moves to another table takes its changes there") {
    Pair pair;
    pair.on_both(kParted);
    pair.on_both(
        "create table q (id int primary key, a text) partition by range (id); "
        "create table q1 partition of q for values from (0) to (10)");
    pair.on_source("insert into p select i, 'x' from generate_series(1, 15) i");
    REQUIRE(pair.begin());
    pair.on_source("update p set a = 'y' where id > 8");
    REQUIRE(pair.caught_up());
    const std::string move =
        "alter table p detach partition p2; "
        "alter table q attach partition p2 for values from (10) to (20)";
    pair.on_source(move);
    pair.on_source("insert into q values (18, 'new'); insert into q values (3, 'other')");
    REQUIRE(eventually(20s, [&] {
      return pair.link()["state"] == "paused" || pair.count(pair.target.dsn, "q") == 2;
    }));
    CHECK(pair.count(pair.target.dsn, "p where id = 18") == 0);
    if (pair.link()["state"] == "paused") {
      CHECK(pair.link()["error"]["table"] == "public.p2");
      pair.on_target(move);
      REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    }
    REQUIRE_MESSAGE(pair.caught_up(20s), pair.link().dump());
    CHECK_MESSAGE(pair.difference({"public.p", "public.q"}) == "", differences(pair));
  }

  TEST_CASE("a partition that is renamed goes on, and its TRUNCATE empties the same rows") {
    Pair pair;
    pair.on_both(kParted);
    pair.on_source("insert into p select i, 'x' from generate_series(1, 15) i");
    REQUIRE(pair.begin());
    pair.on_source("insert into p values (18, 'y')");
    REQUIRE(pair.caught_up());
    pair.on_source("alter table p2 rename to \"P two\"; insert into p values (19, 'z')");
    pair.on_source("update p set a = 'w' where id = 18");
    REQUIRE_MESSAGE(pair.caught_up(20s), pair.link().dump());
    CHECK(pair.difference({"public.p"}) == "");
    pair.on_source("truncate \"P two\"");
    const bool stopped = eventually(20s, [&] { return pair.link()["state"] == "paused"; });
    REQUIRE_MESSAGE(stopped, pair.link().dump());
    pair.on_target("alter table p2 rename to \"P two\"");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE_MESSAGE(pair.caught_up(20s), pair.link().dump());
    CHECK(pair.difference({"public.p"}) == "");
  }

  TEST_CASE("temporary and unlogged tables and large objects beside the tables do not disturb") {
    Pair pair;
    pair.on_both("create table t (id int primary key, a text)");
    REQUIRE(pair.begin());
    pair.on_source(
        "create temporary table t (id int primary key, a text); insert into t values (99, 'temp'); "
        "create unlogged table un (id int primary key); insert into un values (1); "
        "insert into public.t select 1, lo_from_bytea(0, 'x')::text; "
        "create materialized view m as select 1 as one; refresh materialized view m; "
        "create table made as select 1 as id; drop table made");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.count(pair.target.dsn, "t") == 1);
    CHECK(differences(pair) == "");
  }
}
