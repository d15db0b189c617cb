// What stops a cutover before any harm, and says why.
#include <doctest/doctest.h>

#include "server/cutover_runs.h"

using namespace repld::testing;

namespace {

void check_refused(const MovingPair& pair, const std::string& reason) {
  const Outcome outcome = pair.cutover();
  CHECK(outcome.exit_code == 1);
  CHECK_MESSAGE(has(outcome.out + outcome.err, reason), outcome.out << outcome.err);
  CHECK(pair.write(pair.source) == "");
  CHECK(pair.write(pair.target) == "25006");
  CHECK(pair.primary() == "source");
}

}  // namespace

TEST_SUITE("cutover_refused") {
  TEST_CASE("tables that were never proven equal stop it") {
    MovingPair pair;
    REQUIRE(pair.begin());
    check_refused(pair, "was never proven equal");
  }

  TEST_CASE("a transaction that is idle with its locks stops it, and is named") {
    MovingPair pair;
    REQUIRE(pair.ready());
    pqxx::connection idle(pair.source.dsn);
    {
      pqxx::work work(idle);
      work.exec("update public.a set body = 'held' where id = 2");
      check_refused(pair, "holds RowExclusiveLock on public.a");
    }
    CHECK(pair.cutover().exit_code == 0);
  }

  TEST_CASE("a reader as long as it likes does not") {
    MovingPair pair;
    REQUIRE(pair.ready());
    pqxx::connection reader(pair.source.dsn);
    pqxx::work reading(reader);
    reading.exec("select * from public.a");
    pqxx::connection other(pair.target.dsn);
    pqxx::work there(other);
    there.exec("select * from public.a");
    const Outcome over = pair.cutover();
    CHECK_MESSAGE(over.exit_code == 0, over.out << over.err);
  }

  TEST_CASE("rows that differ stop it, also those that nobody knew of") {
    MovingPair pair;
    REQUIRE(pair.ready());
    pair.past_guard("delete from a where id = 3");
    check_refused(pair, "public.a is not equal on both sides");
  }

  TEST_CASE("DDL since the last proof stops it") {
    MovingPair pair;
    REQUIRE(pair.ready());
    pair.on_both("alter table b add column note text default 'x'");
    check_refused(pair, "since the last proof");
  }

  TEST_CASE("maintenance that does not give way stops it before a writer waits") {
    MovingPair pair;
    REQUIRE(pair.ready());
    pqxx::connection maintenance(pair.source.dsn);
    pqxx::work work(maintenance);
    work.exec("lock table public.p1 in share update exclusive mode");
    const auto began = std::chrono::steady_clock::now();
    const Outcome outcome = pair.cutover();
    CHECK(outcome.exit_code == 1);
    CHECK_MESSAGE(has(outcome.out + outcome.err, "ShareUpdateExclusiveLock on public.p1"),
                  outcome.out << outcome.err);
    CHECK(pair.write(pair.source) == "");
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
  }

  TEST_CASE("a target that cannot decode has no way back, unless none is asked for") {
    PairOptions options;
    options.target_variant = TimewebVariant::A;
    Pair pair(options);
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    const Outcome refused = pair.daemon.replctl({"cutover", "--yes"});
    CHECK(refused.exit_code == 1);
    CHECK_MESSAGE(has(refused.out + refused.err, "--without-reverse"), refused.out << refused.err);
    CHECK(sqlstate_of(pair.source.dsn, "insert into a values (1)") == "");
    REQUIRE(pair.caught_up());
    const Outcome over = pair.daemon.replctl({"cutover", "--yes", "--without-reverse"});
    CHECK_MESSAGE(over.exit_code == 0, over.out << over.err);
    CHECK(sqlstate_of(pair.target.dsn, "insert into a values (2)") == "");
  }

  TEST_CASE("no hook, no cutover; what came of hooks is told and kept") {
    MovingPair pair(
        "[cutover]\nbefore_freeze = [\"/bin/sh\", \"-c\", \"test -e $0\", \"/nowhere\"]\n");
    REQUIRE(pair.ready());
    const Outcome outcome = pair.cutover();
    CHECK(outcome.exit_code == 1);
    CHECK_MESSAGE(has(outcome.err, "before_freeze"), outcome.err);
    CHECK(pair.primary() == "source");
    CHECK(has(pair.daemon.replctl({"events"}).out, "before_freeze"));
  }

  TEST_CASE("hooks are told what moves where, and one that fails afterwards undoes nothing") {
    MovingPair pair(
        "[cutover]\nafter_flip = [\"/bin/sh\", \"-c\", \"echo $REPLD_GROUP is on $REPLD_PRIMARY; "
        "cat; exit 7\"]\n");
    REQUIRE(pair.ready());
    const Outcome outcome = pair.cutover();
    CHECK_MESSAGE(outcome.exit_code == 0, outcome.out << outcome.err);
    CHECK_MESSAGE(has(outcome.err, "exit code 7"), outcome.err);
    CHECK_MESSAGE(has(outcome.err, "all is on target"), outcome.err);
    CHECK_MESSAGE(has(outcome.err, "\"primary\":\"target\""), outcome.err);
    CHECK(pair.primary() == "target");
  }
}
