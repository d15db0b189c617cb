// What the server does with batches behind a failed one, whatever the client sent: the ground that
// apply/pipeline and repld.advance stand on, tried with a Sync before and after the COMMIT; then
// the same through the daemon.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "pg/migrations.h"
#include "pg/pipeline_connection.h"
#include "support/pair.h"

using namespace repld::testing;
using repld::pg::PipelineConnection;
using repld::pg::ResultHandle;

namespace {

constexpr const char* kOwner = "11111111-2222-3333-4444-555555555555";

// A target with schema repld, a progress row at 0/10 and a table `t`, without a daemon.
class Target {
 public:
  Target() : platform_(timeweb_like(timeweb_variant())) {
    repld::pg::Session session(server());
    repld::pg::migrate(session);
    session.exec("create table public.t (id int primary key)");
    session.exec(std::string("insert into repld.progress (link, slot_name, system_identifier, "
                             "timeline, database, phase, lsn, owner, owner_pid, owner_instance, "
                             "guard_nonce) values ('l', 's', '1', 1, 'd', 'streaming', '0/10', '") +
                 kOwner + "', 0, 'i', 'n')");
  }

  repld::pg::Server server() const {
    return {repld::Side::target, platform_.remote_dsn, std::nullopt};
  }
  std::string value(const std::string& sql) const {
    return Pair::run_sql(platform_.dsn, sql)[0][0].c_str();
  }

 private:
  Platform platform_;
};

enum class SyncPlace { before_commit_too, after_commit_only };

void send_batch(PipelineConnection& connection, int number, const std::string& change,
                SyncPlace place) {
  connection.execute("begin");
  connection.execute("select repld.advance('l', '" + std::string(kOwner) + "', '0/" +
                     std::to_string(number) + "0', '0/" + std::to_string(number + 1) + "0')");
  connection.execute(change);
  if (place == SyncPlace::before_commit_too) {
    connection.sync();
  }
  connection.execute("commit");
  connection.sync();
}

// Tags and SQLSTATEs in order; "skipped" where the server skipped a command.
std::vector<std::string> answers(PipelineConnection& connection, size_t due) {
  std::vector<std::string> list;
  while (list.size() < due) {
    if (!connection.flush()) {
      continue;
    }
    const ResultHandle result = connection.try_result();
    if (result == nullptr) {
      std::this_thread::sleep_for(1ms);
    } else if (repld::pg::is_sync(result.get())) {
      list.emplace_back("sync");
    } else if (repld::pg::is_skipped(result.get())) {
      list.emplace_back("skipped");
    } else if (repld::pg::is_error(result.get())) {
      list.emplace_back(PQresultErrorField(result.get(), PG_DIAG_SQLSTATE));
    } else {
      list.emplace_back(PQcmdStatus(result.get()));
    }
  }
  return list;
}

// Sends four batches, of which the second fails.
std::vector<std::string> send_four(const Target& target, SyncPlace place) {
  PipelineConnection connection(target.server(), repld::pg::Purpose::apply);
  connection.enter();
  send_batch(connection, 1, "insert into public.t values (1)", place);
  send_batch(connection, 2, "insert into public.t values (2), (1)", place);
  send_batch(connection, 3, "insert into public.t values (3)", place);
  send_batch(connection, 4, "insert into public.t values (4)", place);
  return answers(connection, place == SyncPlace::before_commit_too ? 24 : 20);
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& entry : list) {
    text += entry + " ";
  }
  return text;
}

}  // namespace

TEST_SUITE("pipeline") {
  TEST_CASE(
      "with a Sync before COMMIT the failed batch answers ROLLBACK and advance() stops those "
      "behind it") {
    const Target target;
    const std::string got = joined(send_four(target, SyncPlace::before_commit_too));
    CHECK(got ==
          "BEGIN SELECT 1 INSERT 0 1 sync COMMIT sync "
          "BEGIN SELECT 1 23505 sync ROLLBACK sync "
          "BEGIN RP001 skipped sync ROLLBACK sync "
          "BEGIN RP001 skipped sync ROLLBACK sync ");
    CHECK(target.value("select string_agg(id::text, ' ') from t") == "1");
    CHECK(target.value("select lsn from repld.progress") == "0/20");
  }

  TEST_CASE("with a Sync only after COMMIT the failed block stays open and those behind it fail") {
    const Target target;
    const std::string got = joined(send_four(target, SyncPlace::after_commit_only));
    CHECK(got ==
          "BEGIN SELECT 1 INSERT 0 1 COMMIT sync "
          "BEGIN SELECT 1 23505 skipped sync "
          "25P02 skipped skipped skipped sync "
          "25P02 skipped skipped skipped sync ");
    CHECK(target.value("select string_agg(id::text, ' ') from t") == "1");
    CHECK(target.value("select lsn from repld.progress") == "0/20");
  }

  TEST_CASE(
      "drift in the second of many batches in flight is mended, counted, and nothing is lost "
      "or doubled") {
    PairOptions options;
    options.extra = "[apply]\nbatch_rows = 5";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int); create table k (n int)");
    pair.on_source("alter table k replica identity full");
    pair.on_source("insert into t select i, 0 from generate_series(1, 100) i");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    pair.past_guard("delete from t where id in (7, 60)");
    pair.past_guard("insert into t values (207, -1)");
    for (int i = 1; i <= 100; ++i) {
      pair.on_source(
          fmt::format("begin; update t set n = {0} where id = {0}; insert into k values ({0}); "
                      "insert into t values ({1}, 1); commit",
                      i, 200 + i));
    }
    pair.on_source("delete from t where id = 60");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t", "public.k"}) == "");
    CHECK(pair.link()["applied_transactions"].get<int>() >= 101);
    CHECK(pair.daemon.replctl({"events"})
              .out.find("public.t: 1 rows that should have been there were missing") !=
          std::string::npos);
  }

  TEST_CASE("a row too large for an index of the target stops the link before it") {
    Pair pair;
    pair.on_both("create table t (id int primary key, v text)");
    pair.on_target("create index t_v on t (v)");
    REQUIRE(pair.begin());
    const std::string large =
        "(select string_agg(md5(i::text), '') from generate_series(1, 300) i)";
    // What is folded away within its transaction never comes to the target.
    pair.on_source("begin; insert into t values (1, " + large +
                   "); update t set v = 'a' where id = 1; commit");
    REQUIRE(pair.caught_up());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    pair.on_source("insert into t values (2, 'b')");
    pair.on_source("begin; insert into t values (3, 'd'), (4, " + large + "); commit");
    pair.on_source("insert into t values (5, 'e')");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.paused_with("54000"));
    CHECK(pair.count(pair.target.dsn, "t where id <= 2") == 2);
    CHECK(pair.count(pair.target.dsn, "t") == 2);
    pair.on_target("drop index t_v");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("drift") == std::string::npos);
  }

  TEST_CASE("a row that the target refuses stops the link before it, says why, and waits") {
    PairOptions options;
    options.extra = "[apply]\nbatch_rows = 5";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int)");
    pair.on_target("alter table t add constraint small check (n < 1000)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    for (int i = 1; i <= 40; ++i) {
      pair.on_source("insert into t values (" + std::to_string(i) + ", " +
                     (i == 23 ? "4711" : "5") + ")");
    }
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(eventually(20s, [&] { return pair.link()["error"].is_object(); }));
    const nlohmann::json error = pair.link()["error"];
    CHECK(pair.link()["state"] == "paused");
    CHECK(error["kind"] == "conflict");
    CHECK(error["table"] == "public.t");
    CHECK(error["sqlstate"] == "23514");
    CHECK(error["detail"].get<std::string>().find("small") != std::string::npos);
    CHECK(pair.daemon.status_json().find("4711") == std::string::npos);
    CHECK(pair.daemon.log_text().find("4711") == std::string::npos);
    CHECK(std::string(pair.on_target("select max(id) from t")[0][0].c_str()) == "22");

    pair.on_target("alter table t drop constraint small");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
