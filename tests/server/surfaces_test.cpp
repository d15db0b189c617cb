// What operators, probes and Prometheus see of a running daemon.
#include <doctest/doctest.h>

#include <fstream>

#include "support/http.h"
#include "support/pair.h"

using namespace repld::testing;

namespace {

std::string http_address(const Pair& pair) {
  return nlohmann::json::parse(pair.daemon.status_json())["http_listen"];
}

}  // namespace

TEST_SUITE("surfaces") {
  TEST_CASE("promtool finds no fault in the metrics, and they say what happened") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    pair.on_source("insert into t select generate_series(1, 10)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (100); delete from t where id < 3");
    REQUIRE(pair.caught_up());
    const HttpAnswer answer = http_request(http_address(pair), "/metrics");
    CHECK(answer.status == 200);
    const std::string path = pair.daemon.directory() + "/metrics";
    std::ofstream(path) << answer.body;
    const Outcome outcome = run({"sh", "-c", "promtool check metrics < " + path});
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err + outcome.out == "");
    for (const char* line :
         {"repld_link_up{link=\"pair\"} 1", "repld_primary{group=\"all\",side=\"source\"} 1",
          "repld_applied_rows_total{link=\"pair\",op=\"insert\",table=\"public.t\"} 1",
          "repld_applied_rows_total{link=\"pair\",op=\"delete\",table=\"public.t\"} 2",
          "repld_slot_status{link=\"pair\",status=\"reserved\"} 1"}) {
      CHECK_MESSAGE(answer.body.find(line) != std::string::npos, line << "\n" << answer.body);
    }
  }

  TEST_CASE("readiness follows the link; the network may look but not touch") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    const std::string address = http_address(pair);
    CHECK(http_request(address, "/healthz").status == 200);
    CHECK(http_request(address, "/readyz?max_lag=10s").status == 200);
    CHECK(http_request(address, "/primary").body == R"({"all":"source"})");
    CHECK(http_request(address, "/api/v1/status").status == 200);
    CHECK(http_request(address, "/api/v1/pause", "POST").status == 404);
    CHECK(http_request(address, "/metrics", "POST").status == 405);
    CHECK(pair.link()["state"] == "streaming");
    CHECK(read_file(pair.daemon.directory() + "/primary.json") == R"({"all":"source"})");

    pair.on_target("alter table t add constraint no check (id > 0)");
    pair.on_source("insert into t values (-5)");
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    const HttpAnswer ready = http_request(address, "/readyz");
    CHECK(ready.status == 503);
    CHECK(ready.body.find("public.t") != std::string::npos);
    CHECK(http_request(address, "/healthz").status == 200);
  }

  TEST_CASE("a pause by the operator outlives the daemon, and resume ends it") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    CHECK(eventually(
        10s, [&] { return pair.count(pair.target.dsn, "repld.progress where paused") == 1; }));
    pair.on_source("insert into t values (1)");
    CHECK(pair.daemon.terminate() == 0);
    pair.daemon.start();
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    std::this_thread::sleep_for(1500ms);
    CHECK(pair.link()["durable"] != "0/0");
    CHECK(pair.link()["lag_bytes"].get<int64_t>() < 1'000'000);
    CHECK(pair.daemon.replctl({"status", "--wait-for", "caught-up", "--timeout", "1s"}).exit_code ==
          4);
    CHECK(pair.count(pair.target.dsn, "t") == 0);
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("replctl prints for people and for programs, and its exit codes say how it went") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    CHECK(pair.daemon.replctl({"status"}).exit_code == 3);
    CHECK(pair.daemon.replctl({"nonsense"}).exit_code == 2);
    CHECK(pair.daemon.replctl({"config", "check"}).exit_code == 0);
    REQUIRE(pair.begin());
    const Outcome status = pair.daemon.replctl({"status"});
    CHECK(status.exit_code == 0);
    CHECK(status.out.find("streaming") != std::string::npos);
    CHECK(status.out.find('\x1b') == std::string::npos);
    const auto tables = nlohmann::json::parse(pair.daemon.replctl({"--json", "tables"}).out);
    CHECK(tables["tables"][0]["name"] == "t");
    CHECK(pair.daemon.replctl({"events"}).out.find("streaming") != std::string::npos);
    CHECK(pair.daemon.replctl({"tables"}).out.find("public.t") != std::string::npos);
    CHECK(pair.daemon.replctl({"finalize"}).exit_code == 2);  // nobody to ask: wants --yes
  }

  TEST_CASE("a bad configuration ends the start with its place and exit code 2") {
    Pair pair;
    std::ofstream(pair.daemon.config_path(), std::ios::app) << "[apply]\nbatch_row = 5\n";
    const Outcome check = pair.daemon.replctl({"config", "check"});
    CHECK(check.exit_code == 1);
    CHECK(check.err.find("batch_row") != std::string::npos);
    CHECK(check.err.find("batch_rows") != std::string::npos);
    pair.daemon.start();
    CHECK(pair.daemon.wait_for_death() == 2);
    CHECK(pair.daemon.log_text().find("repld.toml:") != std::string::npos);
  }

  TEST_CASE("a wrong password is told without the password and is not tried in a tight loop") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    Pair::run_sql(pair.target.superuser_dsn, "alter role gen_user password 'right'");
    pair.target.cluster->admit({"host all gen_user all scram-sha-256"});
    Daemon daemon(pair.source.remote_dsn, pair.target.remote_dsn + " password='w{r|o}n<g>'",
                  "pair");
    daemon.start();
    REQUIRE(eventually(
        20s, [&] { return daemon.log_text().find("authentication") != std::string::npos; }));
    std::this_thread::sleep_for(5s);
    const std::string server_log = pair.target.cluster->log_text();
    int tries = 0;
    for (size_t at = server_log.find("password authentication failed"); at != std::string::npos;
         at = server_log.find("password authentication failed", at + 1)) {
      ++tries;
    }
    CHECK(tries < 15);
    CHECK(daemon.running());
    CHECK((daemon.log_text() + daemon.status_json()).find("w{r|o}n<g>") == std::string::npos);
  }
}
