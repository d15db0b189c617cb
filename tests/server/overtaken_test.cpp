// A proof holds until something happens that it knows nothing of: the status says so, and the table
// is looked at again.
#include <doctest/doctest.h>

#include "support/http.h"
#include "support/pair.h"

using namespace repld::testing;

namespace {

PairOptions verified_every(const std::string& interval) {
  PairOptions options;
  options.extra = "[verify]\nevery = \"" + interval + "\"\n";
  return options;
}

nlohmann::json proof(const Pair& pair) { return pair.link()["tables"][0]["proof"]; }

std::string unproven(const Pair& pair) {
  const nlohmann::json shown = proof(pair);
  return shown.is_object() ? shown["unproven"].get<std::string>() : "never proven";
}

bool metric_there(const Pair& pair) {
  const std::string address = nlohmann::json::parse(pair.daemon.status_json())["http_listen"];
  return http_request(address, "/metrics")
             .body.find("repld_table_checksum_match{table=\"public.t\"}") != std::string::npos;
}

}  // namespace

TEST_SUITE("overtaken") {
  TEST_CASE("a wrong count overtakes the proof of its table, also for the next daemon") {
    Pair pair(verified_every("0"));
    pair.on_both("create table t (id int primary key, a text)");
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(unproven(pair) == "");
    CHECK(eventually(5s, [&] { return metric_there(pair); }));
    pair.past_guard("insert into t values (2, 'stray'), (3, 'stray')");
    pair.on_source("insert into t values (2, 'right')");
    REQUIRE(pair.caught_up());
    CHECK(eventually(5s, [&] { return unproven(pair).find("otherwise") != std::string::npos; }));
    CHECK(eventually(5s, [&] { return !metric_there(pair); }));
    CHECK(pair.daemon.replctl({"tables"}).out.find("overtaken") != std::string::npos);
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    CHECK(unproven(pair).find("otherwise") != std::string::npos);
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 1);
    CHECK(unproven(pair) == "");
    CHECK(proof(pair)["extra"] == 1);
    REQUIRE(pair.daemon.replctl({"repair"}).exit_code == 0);
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    CHECK(proof(pair)["equal"] == true);
    CHECK(unproven(pair) == "");
  }

  TEST_CASE("what changes a table without streaming overtakes its proof") {
    Pair pair(verified_every("0"));
    pair.on_both(
        "create table t (id int primary key, k int not null, a text) partition by range (id); "
        "create table t1 partition of t for values from (0) to (100)");
    pair.on_source("insert into t select i, i, 'x' from generate_series(1, 50) i");
    REQUIRE(pair.begin());
    pair.on_target("alter table t add column d int");
    const char* const changes[] = {
        "alter table t add column d int default 7",
        "alter table t alter k type bigint",
        "vacuum full t1",
        "create table t2 (like t including all); insert into t2 select 150, 1, 'new', 1; "
        "alter table t attach partition t2 for values from (100) to (200)",
        "alter table t detach partition t1; update t1 set a = 'y' where id = 1; "
        "alter table t attach partition t1 for values from (0) to (100)",
    };
    for (const char* change : changes) {
      CAPTURE(change);
      pair.daemon.replctl({"repair"});
      REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
      CHECK(unproven(pair) == "");
      run_alone(pair.source.dsn, change);
      CHECK(eventually(30s, [&] { return unproven(pair).find("changed") != std::string::npos; }));
    }
    pair.daemon.replctl({"repair"});
    CHECK(pair.difference({"public.t1", "public.t2"}) == "");
    CHECK(unproven(pair) == "");
  }

  TEST_CASE("each table is proven by its own clock, also over a restart") {
    PairOptions options;
    options.extra =
        "[verify]\nevery = \"1h\"\nsnapshot_age = \"0\"\n"
        "[[verify.schedule]]\ntables = [\"public.often*\"]\nevery = \"1s\"\n";
    Pair pair(options);
    pair.on_both(
        "create table often1 (id int primary key); create table often2 (id int primary key); "
        "create table seldom (id int primary key)");
    REQUIRE(pair.begin());
    // At a snapshot of its own each, and no more.
    const Outcome all = pair.daemon.replctl({"verify", "--json"});
    CHECK(nlohmann::json::parse(all.out)["fences"] == 3);
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    const auto proven_at = [&](size_t table) {
      return pair.link()["tables"][table]["proof"]["at"].get<double>();
    };
    const double before[] = {proven_at(0), proven_at(1), proven_at(2)};
    CHECK(eventually(100s, [&] { return proven_at(0) > before[0] && proven_at(1) > before[1]; }));
    const double once = proven_at(0);
    CHECK(eventually(30s, [&] { return proven_at(0) > once; }));
    CHECK(proven_at(2) == before[2]);
  }

  TEST_CASE("a table whose proof is overtaken is proven again by itself") {
    Pair pair(verified_every("1h"));
    pair.on_both(
        "create table t (id int primary key, a text); create table u (id int primary key)");
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    const double before = proof(pair)["at"];
    const double of_other = pair.link()["tables"][1]["proof"]["at"];
    pair.on_target("alter table t add column b int");
    pair.on_source("alter table t add column b int default 7");
    CHECK(eventually(60s, [&] { return proof(pair)["at"] > before && unproven(pair).empty(); }));
    CHECK(proof(pair)["different"] == 1);
    CHECK(pair.link()["tables"][1]["proof"]["at"] == of_other);
    REQUIRE(pair.daemon.replctl({"repair"}).exit_code == 0);
    const double mended = proof(pair)["at"];
    pair.past_guard("delete from t where id = 1");
    pair.on_source("update t set a = 'y' where id = 1");
    CHECK(eventually(60s, [&] { return proof(pair)["at"] > mended && unproven(pair).empty(); }));
    CHECK(proof(pair)["equal"] == true);
  }
}
