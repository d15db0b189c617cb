// replctl verify while writes go on: no false alarm, and no difference that is not found.
//
// REPLD_TEST_FENCES: how many in a row under load, 300 by default.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <optional>

#include "server/verify_runs.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema =
    "create table a (id int primary key, n int, body text); "
    "create table b (id bigint primary key, n int, at timestamptz default now()); "
    "create table k (n int, t text); "
    "create table p (id int, k int, v text, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); create table p2 partition of p default";

void fill(const Pair& pair) {
  pair.on_source(
      "alter table k replica identity full; "
      "insert into a select i, 0, md5(i::text) from generate_series(1, 2000) i; "
      "insert into k select i / 2, 'x' from generate_series(1, 200) i; "
      "insert into p select i, i % 3, 'v' from generate_series(1, 500) i");
}

// Up to 3,000 small transactions a second on several sessions, half of them committed
// asynchronously, some of which touch nothing that is published.
class Load {
 public:
  Load(const Pair& pair, int sessions) {
    for (int number = 0; number < sessions; ++number) {
      threads_.emplace_back(
          [this, dsn = pair.source.dsn, number, sessions](const std::stop_token& stop) {
            pqxx::connection connection(dsn);
            pqxx::nontransaction session(connection);
            session.exec("set search_path = public; set synchronous_commit = " +
                         std::string(number % 2 == 0 ? "on" : "off"));
            for (int64_t i = number; !stop.stop_requested(); i += sessions) {
              write(session, i);
              ++written_;
              std::this_thread::sleep_for(2ms);
            }
          });
    }
  }
  int64_t written() const { return written_; }

 private:
  static void write(pqxx::nontransaction& session, int64_t i) {
    const std::string id = std::to_string(i);
    switch (i % 5) {
      case 0: session.exec("insert into b (id, n) values (" + id + ", 1)"); break;
      case 1:
        session.exec("begin; update a set n = n + 1 where id = 1 + " + id +
                     " % 2000; insert into k values (" + id + ", 'w'); commit");
        break;
      case 2: session.exec("delete from b where id = " + id + " - 50"); break;
      case 3: session.exec("update p set v = '" + id + "' where id = 1 + " + id + " % 500"); break;
      default: session.exec("select pg_logical_emit_message(true, 'other', 'x')"); break;
    }
  }

  std::atomic<int64_t> written_{0};
  std::vector<std::jthread> threads_;
};

int rounds() {
  const char* given = std::getenv("REPLD_TEST_FENCES");
  return given == nullptr ? 300 : std::stoi(given);
}

}  // namespace

TEST_SUITE("verify") {
  TEST_CASE("under load every fence is exact: no false alarm, no difference missed") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    std::optional<Load> load(std::in_place, pair, 6);
    std::vector<double> pauses;
    int retakes = 0;
    const auto begun = std::chrono::steady_clock::now();
    for (int round = 1; round <= rounds(); ++round) {
      CAPTURE(round);
      const bool seeded = round % 10 == 0;
      if (seeded) {
        // A row that the load does not touch.
        pair.past_guard(
            "update a set body = 'drift' where id = 1; update a set n = n where id = 1");
        pair.past_guard("insert into b values (-5, 0, now())");
      }
      const auto proofs = verify(pair);
      REQUIRE(proofs["tables"].size() == 4);
      const std::string expected = seeded ? "public.a 0/0/1 ;public.b 0/1/0 ;" : "";
      CHECK(differences(proofs) == expected);
      if (seeded) {
        const std::string body = pair.on_source("select body from a where id = 1")[0][0].c_str();
        pair.past_guard("update a set body = '" + body +
                        "' where id = 1; "
                        "delete from b where id = -5");
      }
      pauses.push_back(proofs["pause_seconds_max"].get<double>());
      retakes += proofs["retakes"].get<int>();
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    std::sort(pauses.begin(), pauses.end());
    const auto pause_ms = [&](size_t percent) {
      return 1000 * pauses[(pauses.size() - 1) * percent / 100];
    };
    MESSAGE(
        fmt::format("{} fences, {} retakes; the applier's pause: p50 {:.1f} ms, p99 {:.1f} ms, "
                    "longest {:.1f} ms; {:.0f} transactions a second",
                    rounds(), retakes, pause_ms(50), pause_ms(99), pause_ms(100),
                    static_cast<double>(load->written()) / seconds));
    CHECK(load->written() > 100);
    load.reset();
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.k", "public.p"}) == "");
    for (const nlohmann::json link = pair.link(); const auto& table : link["tables"]) {
      CHECK(table["missing_rows"] == 0);
      CHECK(table["unexpected_rows"] == 0);
    }
  }

  TEST_CASE("what differs is named by its keys, in the answer, the tables, metrics and events") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    REQUIRE(verify(pair)["equal"] == true);
    pair.past_guard(
        "delete from a where id in (7, 9); insert into k values (5, 'x'); "
        "update p set v = null where id = 3");
    const auto proofs = verify(pair, {"--keys", "public.a", "public.k", "public.p"});
    CHECK(differences(proofs) == "public.a 2/0/0 ;public.k 0/1/0 ;public.p 0/0/1 ;");
    std::string keys;
    for (const auto& table : proofs["tables"]) {
      for (const auto& row : table["keys"]) {
        keys += row["kind"].get<std::string>() + row["key"].dump() + " ";
      }
    }
    CHECK(keys.find("missing[\"7\"]") != std::string::npos);
    CHECK(keys.find("missing[\"9\"]") != std::string::npos);
    CHECK(keys.find("extra[\"5\",\"x\"]") != std::string::npos);
    CHECK(keys.find("different[\"3\",\"0\"]") != std::string::npos);
    CHECK(pair.count(pair.target.dsn, "repld.verification where missing = 2") == 1);
    CHECK(pair.daemon.replctl({"events"}).out.find("public.a: 2 rows missing") !=
          std::string::npos);
    pair.daemon.terminate();
    REQUIRE(pair.begin());
    const auto link = pair.link();
    for (const auto& table : link["tables"]) {
      if (table["name"] == "a") {
        CHECK(table["proof"]["missing"] == 2);
        CHECK(table["proof"]["equal"] == false);
      }
    }
  }

  TEST_CASE("a table that is unknown, or a link that stands still, is refused with a reason") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    const Outcome unknown = pair.daemon.replctl({"verify", "public.nothing"});
    CHECK(unknown.exit_code == 1);
    CHECK(unknown.err.find("public.nothing") != std::string::npos);
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    const Outcome paused = pair.daemon.replctl({"verify"});
    CHECK(paused.exit_code == 1);
    CHECK(paused.err.find("does not stream") != std::string::npos);
  }

  TEST_CASE("what was not compared is not equal") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    // One that the server lets nobody read; the rest is compared all the same.
    pair.past_guard("delete from a where id = 3");
    as_admin(pair.source, "alter table public.b owner to supabase_admin");
    as_admin(pair.source,
             "revoke all on public.b from postgres, anon, authenticated, service_role");
    as_admin(pair.source, "alter role postgres nobypassrls; revoke pg_read_all_data from postgres");
    const auto others = verify(pair);
    CHECK(differences(others).find("public.a 1/0/0") != std::string::npos);
    CHECK(differences(others).find("public.b 0/0/0 ") != std::string::npos);
    // One that is gone. The link sees it too within a second or so, and stops.
    pair.on_source("drop table k; create table k (n int, t text)");
    const Outcome gone = pair.daemon.replctl({"verify", "public.k"});
    const std::string told = gone.out + gone.err;
    CHECK(gone.exit_code != 0);
    const bool named = told.find("the source has no such table") != std::string::npos ||
                       told.find("the link does not stream") != std::string::npos;
    CHECK_MESSAGE(named, told);
  }

  TEST_CASE("an open transaction with rows of its own stands in no fence's way") {
    Pair pair;
    pair.on_both(kSchema);
    fill(pair);
    REQUIRE(pair.begin());
    pqxx::connection connection(pair.source.dsn);
    pqxx::work open(connection);
    open.exec("insert into public.a values (9001, 1, 'open')");
    pair.on_source("insert into a values (9002, 1, 'w')");
    CHECK(verify(pair)["equal"] == true);
    open.commit();
    CHECK(verify(pair)["equal"] == true);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.a", "public.b", "public.k", "public.p"}) == "");
  }
}
