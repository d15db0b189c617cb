// Fences among transactions that are open, prepared, huge, in parts of their own, or of no concern.
//
// What has been committed before a verify begins lies before its fence, and so is on the target
// once it has ended: no case waits for that.
//
// REPLD_TEST_HUGE_MB: how much the huge one writes, 64 by default.
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>

#include "server/verify_runs.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema =
    "create table t (id int primary key, v text); "
    "create table k (n int, v text); alter table k replica identity full";

int64_t huge_mb() {
  const char* given = std::getenv("REPLD_TEST_HUGE_MB");
  return given == nullptr ? 64 : std::atoll(given);
}

// Of ids that no case uses.
void write_row(pqxx::nontransaction& session, int64_t number) {
  session.exec(
      fmt::format("begin; insert into t values ({0}, 'w'); "
                  "insert into k values ({0} % 7, 'w'); commit",
                  1000 + number));
}

int64_t on_target(const Pair& pair, const std::string& v) {
  return pair.count(pair.target.dsn, "t where v = '" + v + "'") +
         pair.count(pair.target.dsn, "k where v = '" + v + "'");
}

// Whether all is equal at a fence, and it was taken without a wait that anybody would notice.
void check_quick(const Pair& pair) {
  nlohmann::json proofs;
  const double took = seconds_of([&] { proofs = verify(pair); });
  CHECK(differences(proofs) == "");
  CHECK(proofs["pause_seconds_max"].get<double>() < 5);
  CHECK(took < 15);
}

}  // namespace

TEST_SUITE("fence_transactions") {
  TEST_CASE("what is prepared is on neither side of any fence until it is committed") {
    PairOptions options;
    options.source_settings = {{"max_prepared_transactions", "10"}};
    Pair pair(options);
    pair.on_both(kSchema);
    REQUIRE(pair.begin());
    const Writers writers(pair, 2, write_row);
    pair.on_source(
        "begin; insert into t values (1, 'kept'); insert into k values (1, 'kept'); "
        "savepoint a; insert into t values (2, 'kept'); release a; prepare transaction 'kept'");
    pair.on_source("begin; insert into t values (3, 'gone'); prepare transaction 'gone'");
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      CHECK(differences(verify(pair)) == "");
      CHECK(on_target(pair, "kept") == 0);
    }
    run_alone(pair.source.dsn, "commit prepared 'kept'");
    CHECK(differences(verify(pair)) == "");
    CHECK(on_target(pair, "kept") == 3);
    run_alone(pair.source.dsn, "rollback prepared 'gone'");
    CHECK(differences(verify(pair)) == "");
    CHECK(on_target(pair, "gone") == 0);
    CHECK(writers.written() > 10);
  }

  TEST_CASE("a transaction that idles for long keeps no fence waiting if it began after the link") {
    Pair pair;
    pair.on_both(kSchema);
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    pqxx::connection connection(pair.source.dsn);
    pqxx::nontransaction idle(connection);
    idle.exec(
        "begin; set local idle_in_transaction_session_timeout = 0; "
        "lock table public.t in row exclusive mode; insert into public.t values (2, 'idle')");
    std::optional<Writers> writers(std::in_place, pair, 2, write_row);
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      check_quick(pair);
      CHECK(on_target(pair, "idle") == 0);
    }
    // A session of the link cannot know what became of an older one by its id: it says whom it
    // waits for, in time, and replicates meanwhile.
    const std::string xid = idle.exec("select pg_current_xact_id()::text")[0][0].c_str();
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    Outcome refused;
    const double took = seconds_of([&] { refused = run_verify(pair); });
    CHECK(refused.exit_code == 1);
    CHECK(took < 90);
    CHECK_MESSAGE(refused.err.find("transaction " + xid + " ") != std::string::npos, refused.err);
    const int64_t written = writers->written();
    REQUIRE(eventually(30s, [&] { return writers->written() > written + 10; }));
    REQUIRE(pair.caught_up());
    idle.exec("commit");
    CHECK(differences(verify(pair)) == "");
    CHECK(on_target(pair, "idle") == 1);
    writers.reset();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.k"}) == "");
  }

  TEST_CASE("what only savepoints have written counts with the transaction around them") {
    Pair pair;
    pair.on_both(kSchema);
    REQUIRE(pair.begin());
    const Writers writers(pair, 2, write_row);
    pqxx::connection connection(pair.source.dsn);
    pqxx::nontransaction open(connection);
    open.exec("set search_path = public");
    open.exec("begin");
    // More than the 64 that the server keeps at hand for snapshots.
    for (int id = 1; id <= 100; ++id) {
      open.exec(fmt::format("savepoint s{0}; insert into t values ({0}, 'kept')", id));
    }
    open.exec("savepoint never; insert into t values (101, 'gone'); rollback to never");
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      CHECK(differences(verify(pair)) == "");
      CHECK(on_target(pair, "kept") == 0);
    }
    open.exec("commit");
    CHECK(differences(verify(pair)) == "");
    CHECK(on_target(pair, "kept") == 100);
    CHECK(on_target(pair, "gone") == 0);
    CHECK(writers.written() > 10);
  }

  TEST_CASE("a source that is idle, or busy with what is not published, keeps no fence waiting") {
    PairOptions options;
    options.extra = "[tables]\nexclude = [\"public.other\"]";
    Pair pair(options);
    pair.on_both(kSchema);
    pair.on_source("create table other (id int primary key, v text)");
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    // What an open transaction writes is not flushed, so not streamed past, until somebody commits.
    pqxx::connection connection(pair.source.dsn);
    pqxx::work open(connection);
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      open.exec(fmt::format("insert into public.other values ({}, 'x')", -1 - round));
      check_quick(pair);
    }
    const Writers writers(pair, 4, [](pqxx::nontransaction& session, int64_t number) {
      session.exec(fmt::format("insert into other values ({}, repeat('x', 1000))", number));
    });
    for (int round = 0; round < 5; ++round) {
      CAPTURE(round);
      check_quick(pair);
    }
    CHECK(writers.written() > 10);
  }

  TEST_CASE("a huge transaction just before a fence is waited for, or told as lag in time") {
    PairOptions options;
    options.extra = "[apply]\nmemory_mb = 16";
    options.source_settings = {{"max_slot_wal_keep_size", "-1"}};
    Pair pair(options);
    pair.on_both(kSchema);
    REQUIRE(pair.begin());
    const int64_t rows = huge_mb() * 1024 * 1024 / 1000;
    pair.on_source(fmt::format(
        "insert into t select i, repeat(md5(i::text), 31) from generate_series(1, {}) i", rows));
    Outcome outcome;
    const double took = seconds_of([&] { outcome = run_verify(pair); });
    // The bound of a fence, and some time to read what is there.
    CHECK(took < 60 + 30 + static_cast<double>(huge_mb()) / 2);
    if (outcome.exit_code == 0) {
      CHECK(pair.count(pair.target.dsn, "t") == rows);
    } else {
      CHECK(outcome.exit_code == 1);
      CHECK_MESSAGE(outcome.err.find("the link had not caught up") != std::string::npos,
                    outcome.err);
    }
    MESSAGE(huge_mb() << " MB: " << std::string(outcome.exit_code == 0 ? "equal" : "given up")
                      << " after " << took << " s");
    REQUIRE(pair.caught_up(std::chrono::seconds(120 + huge_mb())));
    const auto proofs = verify(pair);
    CHECK(differences(proofs) == "");
    CHECK(proofs["equal"] == true);
    CHECK(pair.count(pair.target.dsn, "t") == rows);
  }
}
