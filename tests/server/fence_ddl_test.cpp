// Verify beside what is not MVCC-safe or wants the table for itself: the application does not wait
// for it, and nothing false comes of it.
//
// How long it would have to wait otherwise: a table that is small, quick to make and slow to read,
// since what it prints is large.
#include <doctest/doctest.h>

#include "server/existing_links.h"
#include "server/verify_runs.h"
#include "support/tcp_proxy.h"

using namespace repld::testing;

namespace {

// Verify looks twice a second whether somebody waits (verify/courtesy); the rest is for a machine
// with other things to do. A row takes 40 ms to read on an idle one, and many times that here.
constexpr double kGivesWaySeconds = 5;
constexpr int kRowsForLong = 500;
constexpr int kRowsForSomeSeconds = 50;

// Filled on both sides before the link is made, which then copies nothing.
class SlowPair : public Pair {
 public:
  explicit SlowPair(int rows) : Pair(options()) {
    on_both(fmt::format(
        "create table t (id int primary key, n int); "
        "create table slow (id int primary key, n int, at timestamptz[]); "
        "insert into slow select 1, 1, array_fill(timestamptz '2026-03-29 02:30:00.000001+00', "
        "array[100000]); "
        // As compressed as it is.
        "insert into slow select i, i, at from slow, generate_series(2, {}) i",
        rows));
  }

  bool reads_slow() const { return shows(source, "state = 'active' and query like 'copy (%'"); }

  // Whether a session of verify at the slow table comes to be like this.
  static bool shows(const Platform& platform, const std::string& condition) {
    return eventually(60s, [&] {
      return run_sql(platform.superuser_dsn,
                     "select from pg_stat_activity where query like '%slow%' "
                     "and pid <> pg_backend_pid() and " +
                         condition)
                 .size() == 1;
    });
  }

 private:
  static PairOptions options() {
    PairOptions options;
    options.extra = "[copy]\ninitial = false";
    return options;
  }
};

void write_row(pqxx::nontransaction& session, int64_t number) {
  session.exec(fmt::format("insert into t values ({}, 1)", number));
}

void vacuum_full(const Platform& platform, const std::string& table) {
  run_alone(platform.dsn, "vacuum full public." + table);
}

// In the middle of a verify something is done that wants the slow table for itself, and leaves so
// many rows in it.
void check_gives_way(const SlowPair& pair, int rows, const std::function<void()>& action) {
  Verifying verifying(pair);
  REQUIRE(pair.reads_slow());
  const double waited = seconds_of(action);
  MESSAGE("waited for " << waited << " s");
  CHECK(waited < kGivesWaySeconds);
  const auto proofs = verifying.proofs();
  CHECK(differences(proofs) == "");
  CHECK(proofs["fences"].get<int>() > 1);
  for (const auto& table : proofs["tables"]) {
    if (table["table"] == "public.slow") {
      CHECK(table["rows"] == rows);
    }
  }
  CHECK(proofs["tables"].size() == 2);
}

}  // namespace

TEST_SUITE("fence_ddl") {
  TEST_CASE("TRUNCATE of a table that verify reads waits for a moment, and is looked at again") {
    SlowPair pair(kRowsForLong);
    REQUIRE(pair.begin());
    {
      const Writers writers(pair, 2, write_row);
      check_gives_way(
          pair, 1, [&] { pair.on_source("truncate slow; insert into slow values (1, 1, '{}')"); });
    }
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.slow"}) == "");
  }

  TEST_CASE("TRUNCATE waits no longer when the target falls silent while verify reads it") {
    SlowPair pair(kRowsForLong);
    // The source has nothing to read, and waits for the target in its transaction.
    pair.on_source("delete from slow");
    TcpProxy to_target(pair.target.remote_port());
    replace_in_config(pair.daemon, fmt::format("port={} ", pair.target.remote_port()),
                      fmt::format("port={} ", to_target.port()));
    REQUIRE(pair.begin());
    Verifying verifying(pair);
    REQUIRE(SlowPair::shows(pair.target, "state = 'active' and query like 'copy (%'"));
    REQUIRE(SlowPair::shows(pair.source, "state = 'idle in transaction'"));
    to_target.stall(true);
    std::string refused;
    const double waited = seconds_of(
        [&] { refused = sqlstate_of(pair.source.dsn, "set lock_timeout = '20s'; truncate slow"); });
    to_target.stall(false);
    MESSAGE("waited for " << waited << " s");
    CHECK(refused == "");
    CHECK(waited < kGivesWaySeconds);
    CHECK(differences(verifying.proofs()) == "");
  }

  TEST_CASE("ALTER TABLE that rewrites what verify reads waits for a moment, and is equal after") {
    SlowPair pair(kRowsForLong);
    REQUIRE(pair.begin());
    pair.on_target("alter table slow alter n type bigint");
    {
      const Writers writers(pair, 2, write_row);
      check_gives_way(pair, 4, [&] {
        pair.on_source(
            "delete from slow where id > 3; alter table slow alter n type bigint; "
            "insert into slow values (0, 5000000000, '{}')");
      });
    }
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.slow"}) == "");
  }

  TEST_CASE("VACUUM FULL of what verify reads waits for a moment, and changes nothing") {
    SlowPair pair(kRowsForLong);
    REQUIRE(pair.begin());
    const Writers writers(pair, 2, write_row);
    check_gives_way(pair, 3, [&] {
      pair.on_source("delete from slow where id > 3");
      vacuum_full(pair.source, "slow");
    });
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      for (const Platform* platform : {&pair.source, &pair.target}) {
        vacuum_full(*platform, "t");
        vacuum_full(*platform, "slow");
      }
      CHECK(differences(verify(pair)) == "");
    }
  }

  TEST_CASE("rights that are taken away while verify reads leave a table unproven, not empty") {
    SlowPair pair(kRowsForLong);
    pair.on_both("insert into t select i, i from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    {
      Verifying verifying(pair);
      REQUIRE(pair.reads_slow());
      // As an operator of the platform may: the rows are there, a policy hides all of them.
      as_admin(pair.source,
               "alter table t owner to supabase_admin; alter table t enable row level security; "
               "grant select on t to postgres; alter role postgres nobypassrls");
      // Slow is the first of the two, and ours still.
      const nlohmann::json report = verifying.proofs();
      CHECK(report["equal"] == false);
      for (const auto& table : report["tables"]) {
        CAPTURE(table.dump());
        CHECK(table["missing"] == 0);
        CHECK(table["extra"] == 0);
        CHECK((table["unproven"] != "") == (table["table"] == "public.t"));
      }
    }
    as_admin(pair.source,
             "alter role postgres bypassrls; alter table t owner to postgres; "
             "alter table t disable row level security");
    CHECK(differences(verify(pair)) == "");
  }

  TEST_CASE("while tables are rewritten and emptied all the time nothing false is told") {
    Pair pair;
    pair.on_both(
        "create table t (id int primary key, n int); create table u (id int primary key, n int)");
    REQUIRE(pair.begin());
    {
      const Writers writers(pair, 2, write_row);
      const std::jthread storm([&](const std::stop_token& stop) {
        for (int i = 0; !stop.stop_requested(); ++i) {
          vacuum_full(pair.source, "t");
          vacuum_full(pair.target, "t");
          pair.on_source(fmt::format(
              "truncate u; insert into u select i, {} from generate_series(1, 100) i", i));
          std::this_thread::sleep_for(50ms);
        }
      });
      for (int round = 0; round < 4; ++round) {
        CAPTURE(round);
        // A table may be unproven, three times in a row in the way; never different.
        const nlohmann::json report = verify(pair);
        for (const auto& table : report["tables"]) {
          CAPTURE(table.dump());
          CHECK(table["missing"] == 0);
          CHECK(table["extra"] == 0);
          CHECK(table["different"] == 0);
        }
      }
    }
    const auto proofs = verify(pair);
    CHECK(differences(proofs) == "");
    CHECK(proofs["equal"] == true);
  }

  TEST_CASE("CREATE INDEX CONCURRENTLY waits for no more than the snapshot, and verify goes on") {
    SlowPair pair(kRowsForSomeSeconds);
    REQUIRE(pair.begin());
    const Writers writers(pair, 2, write_row);
    Verifying verifying(pair);
    REQUIRE(pair.reads_slow());
    // It does wait for older snapshots, ours among them; we do not give way to it.
    const double on_read = seconds_of(
        [&] { run_alone(pair.source.dsn, "create index concurrently on public.slow (n)"); });
    CHECK(verifying.ends_within(30s));
    const auto proofs = verifying.proofs();
    CHECK(differences(proofs) == "");
    CHECK(proofs["fences"] == 1);
    CHECK(on_read < 60);
    // One verify after another keeps nobody waiting for ever.
    std::atomic<bool> ended{false};
    std::jthread index([&] {
      run_alone(pair.source.dsn, "create index concurrently i on public.t (n)");
      run_alone(pair.source.dsn, "reindex table concurrently public.t");
      run_alone(pair.source.dsn, "drop index concurrently public.i");
      ended = true;
    });
    const bool in_time = eventually(120s, [&] {
      CHECK(differences(verify(pair, {"public.t"})) == "");
      return ended.load();
    });
    CHECK(in_time);
  }
}
