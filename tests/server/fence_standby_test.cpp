// Fences and standbys: a source that is one, and a source whose commits wait for one.
//
// A commit that waits for a synchronous standby is in the WAL, and streams, while no snapshot of
// the source shows it.
#include <doctest/doctest.h>

#include "doctor_runs.h"
#include "server/hanging_commit.h"
#include "server/verify_runs.h"
#include "support/standby.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema = "create table t (id int primary key, v text)";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool arrives(const Pair& pair, const std::string& row) {
  return eventually(30s, [&] { return pair.count(pair.target.dsn, "t where " + row) == 1; });
}

// A verification has asked whether it can take a fence, and waits.
bool looks_for_a_fence(const Pair& pair) {
  return !Pair::run_sql(pair.source.superuser_dsn,
                        "select from pg_stat_activity where query = 'select pg_current_snapshot()' "
                        "and state = 'idle'")
              .empty();
}

// By doctor, as all there is, without waiting for a primary that may be away.
void check_named(const Pair& pair) {
  std::vector<Finding> found;
  CHECK(seconds_of([&] { found = Preflight(pair.daemon).errors(); }) < 20);
  INFO(text_of(found));
  REQUIRE(found.size() == 1);
  CHECK(found[0].side == "source");
  CHECK(found[0].check == "read_only");
  CHECK(found[0].what == "the server is a standby");
}

}  // namespace

TEST_SUITE("fence_standby") {
  TEST_CASE("a standby is not taken for a source: refused, named by doctor, and nothing is made") {
    Pair pair;
    Platform primary = supabase_like();
    Pair::run_sql(primary.dsn, kSchema);
    follow(*pair.source.cluster, *primary.cluster);
    pair.on_target(kSchema);
    check_named(pair);
    pair.daemon.start();
    const bool told =
        eventually(30s, [&] { return has(pair.error_message(), "the source is a standby"); });
    CHECK_MESSAGE(told, pair.daemon.status_json());
    CHECK(has(pair.link()["error"]["hint"], "primary"));
    CHECK(pair.daemon.terminate() == 0);
    CHECK(pair.count(pair.target.superuser_dsn, "repld.progress") == 0);
    CHECK(pair.count(pair.target.superuser_dsn,
                     "pg_trigger where tgrelid = 'public.t'::regclass") == 0);
    CHECK(pair.count(primary.superuser_dsn, "pg_publication where pubname like 'repld%'") == 0);
    CHECK(pair.count(primary.superuser_dsn, "pg_replication_slots") == 0);
  }

  TEST_CASE("a source that is demoted is waited for, its slot not taken for lost") {
    Pair pair;
    pair.on_both(kSchema);
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    demote(*pair.source.cluster);
    const bool told =
        eventually(60s, [&] { return has(pair.error_message(), "the source is a standby"); });
    CHECK_MESSAGE(told, pair.daemon.status_json());
    check_named(pair);
    const Outcome refused = run_verify(pair);
    CHECK(refused.exit_code == 1);
    CHECK_MESSAGE(has(refused.err, "does not stream"), refused.err);
    promote(*pair.source.cluster);
    pair.on_source("insert into t values (2, 'y')");
    REQUIRE(arrives(pair, "id = 2"));
    CHECK(differences(verify(pair)) == "");
  }

  TEST_CASE("a source that is promoted begins another history: nothing is proven across it") {
    Pair pair;
    pair.on_both(kSchema);
    pair.on_source("insert into t values (1, 'x')");
    REQUIRE(pair.begin());
    CHECK(differences(verify(pair)) == "");
    // What a failover leaves: the slot is there, the system the same, the timeline another.
    demote(*pair.source.cluster);
    as_admin(pair.source, "select pg_promote()");
    REQUIRE(pair.daemon.wait_for_state("slot_lost", 60s));
    CHECK_MESSAGE(has(pair.link()["error"]["detail"], "timeline 2"), pair.daemon.status_json());
    pair.on_source("insert into t values (2, 'y')");
    const Outcome refused = run_verify(pair);
    CHECK(refused.exit_code == 1);
    CHECK_MESSAGE(has(refused.err, "does not stream"), refused.err);
    CHECK(pair.count(pair.target.dsn, "t") == 1);
  }

  TEST_CASE("a fence waits out a commit that waits for a standby, and holds nobody up meanwhile") {
    Pair pair;
    pair.on_both(kSchema);
    REQUIRE(pair.begin());
    {
      const HangingCommit hanging(pair, "insert into t values (1, 'hangs')");
      REQUIRE(arrives(pair, "id = 1"));
      Verifying verifying(pair);
      // It is on the target, and no snapshot of the source shows it: there is no fence to stand at.
      REQUIRE(eventually(30s, [&] { return looks_for_a_fence(pair); }));
      CHECK_FALSE(verifying.ends_within(2s));
      pair.on_source("set synchronous_commit = local; insert into t values (2, 'overtakes')");
      CHECK(arrives(pair, "id = 2"));
      CHECK(pair.count(pair.source.dsn, "t where id = 1") == 0);
      CHECK_FALSE(verifying.ends_within(0s));
      wait_for_standby(pair, false);
      const auto proofs = verifying.proofs();
      CHECK(differences(proofs) == "");
      CHECK(proofs["retakes"].get<int>() > 0);
      CHECK(proofs["tables"][0]["rows"] == 2);
    }
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("a fence gives up when a commit waits for a standby too long, and names it") {
    Pair pair;
    pair.on_both(kSchema);
    REQUIRE(pair.begin());
    {
      const HangingCommit hanging(pair, "insert into t values (1, 'hangs')");
      REQUIRE(arrives(pair, "id = 1"));
      const std::string xid = hanging.xid();
      Outcome outcome;
      const double took = seconds_of([&] { outcome = run_verify(pair); });
      CHECK(outcome.exit_code == 1);
      CHECK(took > 55);
      CHECK(took < 90);
      CHECK_MESSAGE(has(outcome.err, "no fence could be taken"), outcome.err);
      CHECK_MESSAGE(has(outcome.err, "transaction " + xid + " "), outcome.err);
      CHECK_MESSAGE(has(outcome.err, "waits for a standby"), outcome.err);
    }
    CHECK(differences(verify(pair)) == "");
    CHECK(pair.count(pair.target.dsn, "t where id = 1") == 1);
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("commits that wait for a standby among those that do not: every fence is exact") {
    Pair pair;
    pair.on_both(kSchema);
    REQUIRE(pair.begin());
    int retakes = 0;
    {
      // A standby that is away every other second.
      std::string failure;
      std::jthread standby([&](const std::stop_token& stop) {
        try {
          for (bool away = true; !stop.stop_requested(); away = !away) {
            wait_for_standby(pair, away);
            std::this_thread::sleep_for(1s);
          }
          wait_for_standby(pair, false);
        } catch (const std::exception& error) {
          failure = error.what();
        }
      });
      const Writers writers(pair, 8, [](pqxx::nontransaction& session, int64_t number) {
        const char* const modes[] = {"on", "local", "off", "remote_apply"};
        session.exec(fmt::format("set synchronous_commit = {}; insert into t values ({}, 'w')",
                                 modes[number % 4], number));
      });
      for (int round = 0; round < 8; ++round) {
        CAPTURE(round);
        const auto proofs = verify(pair);
        CHECK(differences(proofs) == "");
        retakes += proofs["retakes"].get<int>();
      }
      standby.request_stop();
      standby.join();
      CHECK(failure == "");
      MESSAGE(retakes << " retakes, " << writers.written() << " rows");
      CHECK(writers.written() > 100);
    }
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
