// Fences while the ids of transactions wrap around, on both servers.
#include <doctest/doctest.h>

#include "server/hanging_commit.h"
#include "server/verify_runs.h"
#include "support/control_file.h"

using namespace repld::testing;

namespace {

constexpr int64_t kWrap = int64_t{1} << 32;
constexpr int64_t kSetUp = 3000;  // ids, more than a set-up takes on either side

// Lets the server go on a little before the wrap.
void go_near_wrap(const Platform& platform) {
  run_alone(platform.superuser_dsn, "vacuum freeze");
  if (platform.database != "postgres") {
    run_alone(platform.cluster->superuser_dsn("postgres"), "vacuum freeze");
  }
  run_alone(platform.superuser_dsn, "select pg_switch_wal()");
  platform.cluster->stop(StopMode::fast);
  set_next_xid(platform.cluster->directory() + "/data", static_cast<uint32_t>(kWrap - kSetUp));
  platform.cluster->start();
}

// Takes ids until `xid` is among them; returns the last.
int64_t take_ids(const std::string& dsn, int64_t xid) {
  pqxx::connection connection(dsn);
  pqxx::nontransaction session(connection);
  int64_t taken = 0;
  do {
    taken = session.exec("select pg_current_xact_id()::text::bigint")[0][0].as<int64_t>();
  } while (taken < xid);
  return taken;
}

// What streams before a snapshot shows it must be told by its id from what one shows.
void check_hanging_commit(const Pair& pair) {
  const HangingCommit hanging(pair, "insert into t values (-3, 0)");
  REQUIRE(eventually(30s, [&] { return pair.count(pair.target.dsn, "t where id = -3") == 1; }));
  Verifying verifying(pair);
  CHECK_FALSE(verifying.ends_within(3s));
  wait_for_standby(pair, false);
  CHECK(differences(verifying.proofs()) == "");
}

}  // namespace

TEST_SUITE("fence_wrap") {
  TEST_CASE("ids of transactions wrap on both servers between one fence and the next") {
    PairOptions options;
    options.source_settings = options.target_settings = {{"autovacuum", "off"}};
    Pair pair(options);
    go_near_wrap(pair.source);
    go_near_wrap(pair.target);
    pair.on_both("create table t (id int primary key, n int)");
    pair.on_source("insert into t select i, 0 from generate_series(1, 50) i");
    REQUIRE(pair.begin());
    CHECK(differences(verify(pair)) == "");
    // As near as leaves the fence before the wrap to the next ones.
    REQUIRE(take_ids(pair.source.dsn, kWrap - 60) < kWrap);
    REQUIRE(take_ids(pair.target.dsn, kWrap - 60) < kWrap);
    // Open across the wrap, with an id from before it.
    pqxx::connection connection(pair.source.dsn);
    pqxx::work open(connection);
    open.exec("insert into public.t values (-1, 0)");
    CHECK(differences(verify(pair)) == "");
    {
      const Writers writers(pair, 4, [](pqxx::nontransaction& session, int64_t number) {
        session.exec(
            fmt::format("begin; insert into t values ({0}, 0); "
                        "update t set n = n + 1 where id = 1 + {0} % 50; commit",
                        1000 + number));
      });
      for (int round = 0; round < 6; ++round) {
        CAPTURE(round);
        const auto proofs = verify(pair);
        CHECK(differences(proofs) == "");
        CHECK(pair.count(pair.target.dsn, "t where id = -1") == 0);
      }
      CHECK(writers.written() > 100);
      take_ids(pair.target.dsn, kWrap + 10);
      CHECK(differences(verify(pair)) == "");
    }
    CHECK(take_ids(pair.source.dsn, 0) > kWrap);
    check_hanging_commit(pair);
    open.commit();
    CHECK(differences(verify(pair)) == "");
    CHECK(pair.count(pair.target.dsn, "t where id = -1") == 1);
    // A session that begins behind the wrap.
    pair.daemon.terminate();
    pair.on_source("insert into t values (-2, 0)");
    REQUIRE(pair.begin());
    CHECK(differences(verify(pair)) == "");
    CHECK(pair.difference({"public.t"}) == "");
  }
}
