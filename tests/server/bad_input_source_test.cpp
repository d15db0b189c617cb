// Servers that let us in but cannot do what a link needs: told before anything is made there, and
// gone on from when mended.
#include <doctest/doctest.h>

#include "pg/replication_connection.h"
#include "server/bad_input.h"
#include "support/http.h"

using namespace repld::testing;

namespace {

constexpr const char* kTable = "create table t (id int primary key, n int)";

repld::pg::Server as_superuser(const Platform& platform) {
  return {repld::Side::source, platform.superuser_dsn, std::nullopt};
}

// WAL enough for a slot of 16 MB to be given up.
void write_much(const Platform& platform) {
  for (int i = 0; i < 10; ++i) {
    as_admin(platform,
             "begin; create table filler as select repeat('x', 1000) from "
             "generate_series(1, 15000); drop table filler; commit");
  }
  as_admin(platform, "checkpoint");
}

// Nothing of the link is on either side.
void check_untouched(const Pair& pair) {
  CHECK(pair.count(pair.source.superuser_dsn,
                   "pg_replication_slots where slot_name = 'repld_pair'") == 0);
  CHECK(pair.count(pair.source.dsn, "pg_publication where pubname = 'repld_pair'") == 0);
  CHECK(sqlstate_of(pair.target.dsn, "insert into t values (99); delete from t where id = 99") ==
        "");
}

void check_equal_after_mending(const Pair& pair) {
  REQUIRE_MESSAGE(pair.caught_up(), pair.daemon.log_text());
  CHECK(pair.difference({"public.t"}) == "");
  CHECK(pair.link()["error"].is_null());
}

}  // namespace

TEST_SUITE("bad_input") {
  TEST_CASE("a source that does not decode is told before anything is made") {
    PairOptions options;
    options.source_settings = {{"wal_level", "replica"}};
    Pair pair(options);
    pair.on_both(kTable);
    pair.on_source("insert into t values (1)");
    pair.daemon.start();
    const nlohmann::json error = told(pair.daemon, "wal_level = logical");
    CHECK_MESSAGE(has(error, "wal_level is replica"), error["text"]);
    check_untouched(pair);
    pair.source.cluster->set({{"wal_level", "logical"}});
    pair.source.cluster->restart(StopMode::fast);
    check_equal_after_mending(pair);
  }

  TEST_CASE("a role without REPLICATION is told what to ask for, and goes on with it") {
    Pair pair;
    pair.on_both(kTable);
    as_admin(pair.source, "alter role postgres noreplication");
    pair.daemon.start();
    const nlohmann::json error = told(pair.daemon, "ALTER ROLE \"postgres\" REPLICATION");
    CHECK_MESSAGE(error["sqlstate"] == "42501", error["text"]);
    check_untouched(pair);
    as_admin(pair.source, "alter role postgres replication");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    check_equal_after_mending(pair);
  }

  TEST_CASE("no free slot: told before anything is made, and gone on with the first free one") {
    Pair pair;
    pair.on_both(kTable);
    take_slots(pair.source, 5);
    pair.daemon.start();
    const nlohmann::json error = told(pair.daemon, "max_replication_slots");
    CHECK_MESSAGE(has(error, "no free replication slot"), error["text"]);
    CHECK(error["sqlstate"] == "53400");
    check_untouched(pair);
    as_admin(pair.source, "select pg_drop_replication_slot('foreign_0')");
    check_equal_after_mending(pair);
  }

  TEST_CASE("no free WAL sender: told, and gone on with the first free one") {
    PairOptions options;
    options.source_settings = {{"max_wal_senders", "1"}};
    Pair pair(options);
    pair.on_both(kTable);
    {
      const repld::pg::ReplicationConnection other(as_superuser(pair.source));
      pair.daemon.start();
      const nlohmann::json error = told(pair.daemon, "max_wal_senders (restart)");
      CHECK_MESSAGE(error["sqlstate"] == "53300", error["text"]);
      check_untouched(pair);
    }
    check_equal_after_mending(pair);
  }

  TEST_CASE("no free connection: told while it lasts, on either side, and nothing is lost") {
    Pair pair;
    pair.on_both(kTable);
    REQUIRE(pair.begin());
    for (const Platform* platform : {&pair.source, &pair.target}) {
      CAPTURE(platform->user);
      as_admin(*platform, "alter role " + platform->user + " connection limit 0");
      as_admin(*platform,
               "select pg_terminate_backend(pid) from pg_stat_activity where usename = '" +
                   platform->user + "'");
      const nlohmann::json error = told(pair.daemon, "max_connections");
      CHECK_MESSAGE(error["sqlstate"] == "53300", error["text"]);
      CHECK(error["state"] == "retrying");
      as_admin(*platform, "alter role " + platform->user + " connection limit -1");
      pair.on_source("insert into t select coalesce(max(id), 0) + 1 from t");
      check_equal_after_mending(pair);
    }
  }

  TEST_CASE("a slot that another program streams from is told with its backend") {
    Pair pair;
    pair.on_both(kTable);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    {
      repld::pg::ReplicationConnection other(as_superuser(pair.source));
      REQUIRE(eventually(10s, [&] {
        return pair.count(pair.source.superuser_dsn, "pg_replication_slots where not active") == 1;
      }));
      other.start("repld_pair", repld::Lsn::invalid, {"repld_pair"});
      pair.daemon.start();
      const nlohmann::json error = told(pair.daemon, "pg_terminate_backend");
      CHECK_MESSAGE(has(error, "stays in use"), error["text"]);
      CHECK_MESSAGE(has(error, "backend " + std::to_string(other.backend_pid())), error["text"]);
      CHECK(error["sqlstate"] == "55006");
      CHECK(error["state"] == "retrying");
    }
    pair.on_source("insert into t values (1)");
    check_equal_after_mending(pair);
  }

  TEST_CASE("a slot that is invalidated while its link is paused is not streamed over") {
    PairOptions options;
    options.source_settings = {
        {"max_slot_wal_keep_size", "16MB"}, {"max_wal_size", "32MB"}, {"min_wal_size", "32MB"}};
    Pair pair(options);
    pair.on_both(kTable);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 10s));
    pair.on_source("insert into t values (1)");
    write_much(pair.source);
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("slot_lost", 20s));
    const nlohmann::json error = told(pair.daemon, "replctl finalize");
    CHECK_MESSAGE(has(error, "max_slot_wal_keep_size"), error["text"]);
    CHECK(pair.count(pair.target.dsn, "t") == 0);
  }

  TEST_CASE("a slot that is invalidated while its link streams ends the stream, told once") {
    PairOptions options;
    options.source_settings = {
        {"max_slot_wal_keep_size", "16MB"}, {"max_wal_size", "32MB"}, {"min_wal_size", "32MB"}};
    Pair pair(options);
    pair.on_both(kTable);
    TcpProxy counter(pair.source.remote_port());
    Daemon daemon(with(pair.source.remote_dsn, "port", std::to_string(counter.port())),
                  pair.target.remote_dsn, "pair");
    pair.on_source("insert into t values (1)");
    daemon.start();
    REQUIRE(daemon.wait_for("caught-up", 60s));
    {
      // Nothing is confirmed meanwhile, and the daemon is amid a transaction.
      pqxx::connection reader(pair.target.dsn);
      pqxx::work reading(reader);
      reading.exec("lock table public.t in access exclusive mode");
      pair.on_source("insert into t values (2)");
      REQUIRE(eventually(60s, [&] {
        write_much(pair.source);
        return pair.count(pair.source.dsn, "pg_replication_slots where wal_status = 'lost'") == 1;
      }));
      pair.on_source("insert into t values (3)");
    }
    REQUIRE(daemon.wait_for_state("slot_lost", 60s));
    const nlohmann::json error = told(daemon, "replctl finalize");
    CHECK_MESSAGE(has(error, "\"repld_pair\" was invalidated"), error["text"]);
    CHECK_MESSAGE(has(error, "max_slot_wal_keep_size"), error["text"]);
    CHECK(error["state"] == "slot_lost");
    const auto status = nlohmann::json::parse(daemon.status_json());
    const HttpAnswer ready = http_request(status["http_listen"], "/readyz");
    CHECK(ready.status == 503);
    CHECK_MESSAGE(ready.body.find("slot_lost") != std::string::npos, ready.body);
    CHECK(daemon.replctl({"status", "--wait-for", "streaming", "--timeout", "1s"}).exit_code != 0);
    const int tries = counter.accepted();
    std::this_thread::sleep_for(5s);  // the point: nothing happens meanwhile
    CHECK(counter.accepted() - tries <= 1);
    CHECK(daemon.running());
    const std::string events = daemon.replctl({"events"}).out;
    const size_t first = events.find("was invalidated");
    REQUIRE(first != std::string::npos);
    CHECK(events.find("was invalidated", first + 1) == std::string::npos);
    // What had arrived may be there, what came after the gap is not.
    CHECK(pair.count(pair.target.dsn, "t where id = 1") == 1);
    CHECK(pair.count(pair.target.dsn, "t where id > 2") == 0);

    // The way out that the hint names.
    REQUIRE(daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    pair.on_target("truncate t");
    REQUIRE(daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(daemon.wait_for("caught-up", 60s));
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("an old transaction that holds up the new slot is named while it does") {
    Pair pair;
    pair.on_both(kTable);
    pair.on_source("create table busy (n int primary key)");
    pair.on_target("create table busy (n int primary key)");
    pqxx::connection old(pair.source.dsn);
    pqxx::work work(old);
    work.exec("insert into public.busy values (1)");
    pair.daemon.start();
    const nlohmann::json error = told(pair.daemon, "waits for a transaction");
    CHECK_MESSAGE(has(error, "backend " + std::to_string(old.backendpid())), error["text"]);
    CHECK_MESSAGE(has(error, "idle in transaction"), error["text"]);
    CHECK(error["state"] == "setting_up");
    CHECK(pair.daemon.replctl({"events"}).out.find("waits for a transaction") != std::string::npos);
    work.commit();
    check_equal_after_mending(pair);
    CHECK(pair.difference({"public.busy"}) == "");
  }

  TEST_CASE("policies that would hide rows are told, on either side, before anything is made") {
    struct Row {
      std::string name;
      bool on_source;
      const char* broken;
      const char* mended;
    };
    const Row rows[] = {
        {"source role without BYPASSRLS", true,
         "alter role postgres nobypassrls; alter table public.t force row level security",
         "alter role postgres bypassrls"},
        {"target table with FORCE", false,
         "alter table public.t enable row level security, force row level security",
         "alter table public.t no force row level security"},
    };
    for (const Row& row : rows) {
      CAPTURE(row.name);
      Pair pair;
      pair.on_both(kTable);
      pair.on_source(
          "insert into t values (1, 1), (2, 2); alter table t enable row level security; "
          "create policy own on t to authenticated using (auth.uid() is not null)");
      const Platform& platform = row.on_source ? pair.source : pair.target;
      as_admin(platform, row.broken);
      pair.daemon.start();
      const nlohmann::json error = told(pair.daemon, "would hide rows");
      CHECK_MESSAGE(has(error, "BYPASSRLS"), error["text"]);
      CHECK_MESSAGE(has(error, "public.t"), error["text"]);
      CHECK(error["table"] == "public.t");
      CHECK(pair.count(pair.source.dsn, "pg_publication where pubname = 'repld_pair'") == 0);
      as_admin(platform, row.mended);
      check_equal_after_mending(pair);
      CHECK(pair.count(pair.target.superuser_dsn, "public.t") == 2);
    }
  }
}
