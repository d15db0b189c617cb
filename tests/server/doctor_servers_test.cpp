// What the preflight says of the servers themselves: slots of the way back, what else acts on them,
// sizes, the way there.
#include <doctest/doctest.h>

#include "doctor_runs.h"

using namespace repld::testing;

namespace {

std::vector<Finding> of_check(const Preflight& preflight, const std::string& check,
                              const std::string& side) {
  std::vector<Finding> list;
  for (const Finding& finding : preflight.problems({"error", "warning", "ok"})) {
    if (finding.check == check && finding.side == side) {
      list.push_back(finding);
    }
  }
  return list;
}

// Runs the SQL of the warning of that check until doctor no longer gives it.
void mend_warning(const Pair& pair, const std::string& check, const std::string& side) {
  CAPTURE(check);
  const auto found = of_check(Preflight(pair.daemon), check, side);
  REQUIRE(found.size() == 1);
  CHECK(found[0].severity == "warning");
  CHECK(tells_its_effect(found[0]));
  mend(pair, found[0]);
  // A reload reaches a session some time after the SQL has returned.
  CHECK(eventually(10s, [&] {
    const auto now = of_check(Preflight(pair.daemon), check, side);
    return now.empty() || now[0].severity == "ok";
  }));
}

bool tells(const Preflight& preflight, const std::string& part) {
  return text_of(preflight.problems({"error", "warning", "ok"})).find(part) != std::string::npos;
}

// As Supabase has it, with the rows' own policy.
constexpr const char* kCron =
    "create schema cron; create table cron.job (jobid bigint, schedule text, command text, "
    "database text default current_database(), username text default current_user, "
    "active boolean default true, jobname text);"
    "alter table cron.job enable row level security;"
    "create policy own on cron.job using (username = current_user);"
    "insert into cron.job values (1, '0 3 * * *', 'canary', default, default, true, 'nightly');"
    "insert into cron.job values (2, '0 4 * * *', '', default, default, false, 'given up');"
    "insert into cron.job values (3, '0 5 * * *', '', 'another', default, true, 'elsewhere')";

constexpr const char* kNet =
    "create schema net; create function net.http_post(url text) returns bigint "
    "language sql as $$ select 1::bigint $$";

constexpr const char* kWebhooks =
    "create schema supabase_functions;"
    "create function supabase_functions.http_request() returns trigger language plpgsql as "
    "$$ begin return new; end $$;"
    "create function calls() returns trigger language plpgsql as "
    "$$ begin perform net.http_post('https://canary.example'); return new; end $$;"
    "create trigger hook after insert on t for each row execute function "
    "supabase_functions.http_request('https://x.example', 'POST', '{\"key\":\"canary\"}');"
    "create trigger own_hook after update on t for each row execute function calls();"
    "create trigger off_hook after update on t for each row execute function calls();"
    "alter table t disable trigger off_hook";

}  // namespace

TEST_SUITE("doctor") {
  TEST_CASE("whether the way back can be decoded is said before anything is begun") {
    struct Row {
      TimewebVariant variant;
      bool decodes;
    };
    const Row rows[] = {
        {TimewebVariant::A, false}, {TimewebVariant::B, false}, {TimewebVariant::C, true}};
    const Platform source = supabase_like();
    for (const Row& row : rows) {
      const Platform target = timeweb_like(row.variant);
      for (const Platform* each : {&source, &target}) {
        Pair::run_sql(each->dsn, "create table if not exists t (id int primary key)");
      }
      const Daemon daemon(source.remote_dsn, target.remote_dsn, "pair");
      const Preflight preflight(daemon);
      CHECK(text_of(preflight.errors()) == "");
      const auto warnings = preflight.problems({"warning"});
      const bool warned = std::any_of(warnings.begin(), warnings.end(),
                                      [](const Finding& each) { return each.check == "way_back"; });
      CHECK(warned != row.decodes);
    }
  }

  TEST_CASE("limits on slots are named on both sides, where the way back can be decoded") {
    PairOptions options;
    options.target_settings = {{"wal_level", "logical"},
                               {"max_slot_wal_keep_size", "64MB"},
                               {"idle_replication_slot_timeout", "60s"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    as_admin(pair.target, "alter role gen_user noreplication");
    const Preflight without(pair.daemon);
    CHECK(of_check(without, "wal_keep", "target").empty());
    CHECK(of_check(without, "slot_timeout", "target").empty());
    mend_warning(pair, "replication_role", "target");
    CHECK(tells(Preflight(pair.daemon), "the way back can be decoded"));
    mend_warning(pair, "wal_keep", "target");
    mend_warning(pair, "slot_timeout", "target");
    mend_warning(pair, "wal_keep", "source");
  }

  TEST_CASE("a session that a slot waits for is ended by whom doctor names") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    as_admin(pair.source, "create role app login; grant insert on t to app");
    pqxx::connection held(pair.source.superuser_dsn + " user=app");
    pqxx::nontransaction session(held);
    session.exec("begin; insert into public.t values (1)");
    const auto found = of_check(Preflight(pair.daemon), "transactions", "source");
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == "error");
    CHECK(found[0].role == "postgres");
    CHECK(tells_its_effect(found[0]));
    mend(pair, found[0]);
    CHECK_THROWS(session.exec("commit"));
    CHECK(text_of(Preflight(pair.daemon).errors()) == "");
  }

  // The server opens a table to say how its indexes, defaults and checks are defined.
  TEST_CASE("a table that is locked as a whole is told of its side, and the rest goes on") {
    PairOptions options;
    options.target_settings = {{"max_prepared_transactions", "5"}};
    Pair pair(options);
    pair.on_both("create table bare (n int); create table t (id int primary key)");
    pair.on_source("alter table bare replica identity full; create table u (id int primary key)");
    const auto lock_target = [&](const char* table) {
      pair.on_target(std::string("begin; truncate ") + table + "; prepare transaction 'left'");
    };
    const auto expect_no_sizes = [](const Preflight& preflight, const char* side) {
      const auto sizes = of_check(preflight, "size", side);
      REQUIRE(sizes.size() == 1);
      CHECK(sizes[0].severity == "warning");
      CHECK(sizes[0].what == "a table is locked as a whole; sizes are not read");
    };
    const auto expect_not_compared = [](const Preflight& preflight, const char* side) {
      const auto schemas = of_check(preflight, "schema", side);
      REQUIRE(schemas.size() == 1);
      CHECK(schemas[0].severity == "error");
      CHECK(schemas[0].what == "the schemas could not be compared");
    };

    lock_target("bare");
    const Preflight bare(pair.daemon);
    expect_no_sizes(bare, "target");
    CHECK(of_check(bare, "size", "source").empty());
    CHECK(of_check(bare, "not_empty", "target").size() == 1);
    CHECK(tells(bare, "table public.u is missing"));
    run_alone(pair.target.dsn, "rollback prepared 'left'");

    lock_target("t");
    const Preflight indexed(pair.daemon);
    expect_no_sizes(indexed, "target");
    expect_not_compared(indexed, "target");
    CHECK(of_check(indexed, "schema", "source").empty());
    run_alone(pair.target.dsn, "rollback prepared 'left'");

    pqxx::connection connection(pair.source.dsn);
    for (const std::string table : {"public.bare", "public.t"}) {
      CAPTURE(table);
      pqxx::work locking(connection);
      locking.exec("lock table " + table);
      const Preflight preflight(pair.daemon);
      if (table == "public.t") {
        expect_not_compared(preflight, "source");
      } else {
        expect_no_sizes(preflight, "source");
        CHECK(tells(preflight, "table public.u is missing"));
      }
      CHECK(of_check(preflight, "schema", "target").empty());
    }
    CHECK(of_check(Preflight(pair.daemon), "size", "target").size() == 1);
  }

  TEST_CASE("a daemon's sessions are not taken for others', whatever its DSN calls them") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    as_admin(pair.target, "alter role gen_user connection limit 30");
    const std::string name = " application_name=shop";
    Daemon daemon(pair.source.remote_dsn + name, pair.target.remote_dsn + name, "pair");
    const auto counted = [&] {
      const Preflight preflight(daemon);
      std::vector<Finding> found = of_check(preflight, "role_connections", "target");
      for (const char* side : {"source", "target"}) {
        const auto free = of_check(preflight, "connections", side);
        found.insert(found.end(), free.begin(), free.end());
      }
      return text_of(found);
    };
    const std::string before = counted();
    CHECK_MESSAGE(before.find("30 connections, 0 of them") != std::string::npos, before);
    daemon.start();
    REQUIRE(daemon.wait_for("caught-up", 60s));
    std::string during;
    CHECK_MESSAGE(eventually(10s, [&] { return (during = counted()) == before; }), during);
  }

  TEST_CASE("what else acts on the source is named, and nothing of what it does") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    as_admin(pair.source, std::string(kCron) + ";" + kNet + "; select lo_create(0)");
    CHECK(tells(Preflight(pair.daemon), "pg_net is here"));
    as_admin(pair.source, "grant usage on schema cron to postgres");
    as_admin(pair.source, kWebhooks);
    const Preflight preflight(pair.daemon);
    CHECK(text_of(preflight.errors()) == "");
    for (const char* part :
         {"cron job nightly acts on this database (ID 1, 0 3 * * *)", "1 large objects",
          "pgrst_ddl_watch", "publication supabase_realtime", "webhook hook of public.t calls out",
          "webhook own_hook of public.t calls out"}) {
      const std::string wanted = part;
      CAPTURE(wanted);
      CHECK(tells(preflight, wanted));
    }
    for (const char* part : {"given up", "elsewhere", "off_hook of public.t calls",
                             "pg_net is here", "not for us to see"}) {
      const std::string unwanted = part;
      CAPTURE(unwanted);
      CHECK(!tells(preflight, unwanted));
    }
    CHECK(preflight.outcome.out.find("canary") == std::string::npos);

    const std::string unseen = "pg_cron is here, and its jobs are not for us to see";
    as_admin(pair.source, "alter role postgres nobypassrls");
    CHECK(tells(Preflight(pair.daemon), unseen));
    as_admin(pair.source, "alter role postgres bypassrls; revoke pg_read_all_data from postgres");
    CHECK(tells(Preflight(pair.daemon), unseen));
  }

  TEST_CASE("sizes are told: what the tables take, and what the target still needs") {
    Pair pair;
    pair.on_both(
        "create table t (id int primary key, v text);"
        "create table p (id int, primary key (id)) partition by range (id);"
        "create table p1 partition of p for values from (0) to (10000)");
    pair.on_source(
        "insert into t select i, repeat('x', 500) from generate_series(1, 3000) i;"
        "insert into p select generate_series(1, 9000)");
    const auto bytes = [&](const char* of) {
      return pair.on_source(std::string("select pg_total_relation_size('") + of + "')")[0][0]
          .as<int64_t>();
    };
    CHECK(eventually(20s, [&] {  // a vacuum may add to a table meanwhile
      const nlohmann::json sizes = Preflight(pair.daemon).report["sizes"];
      return sizes["public.t"]["source_bytes"] == bytes("t") &&
             sizes["public.p"]["source_bytes"] == bytes("p1");
    }));
    const Preflight preflight(pair.daemon);
    CHECK(preflight.report["sizes"]["public.t"]["target_bytes"].get<int64_t>() < bytes("t") / 10);
    CHECK(of_check(preflight, "size", "source").size() == 1);
    const auto needed = of_check(preflight, "size", "target");
    REQUIRE(needed.size() == 1);
    CHECK(needed[0].what.find("MB more disk is needed") != std::string::npos);
  }

  TEST_CASE("a long way is told from a slow server") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    const TcpProxy far(pair.source.cluster->port(), 55ms);
    const Daemon daemon(pair.source.remote_dsn + " port=" + std::to_string(far.port()),
                        pair.target.remote_dsn, "pair");
    const Preflight preflight(daemon);
    const nlohmann::json latency = preflight.report["latency"];
    for (const char* key : {"round_trip_p50_ms", "round_trip_p99_ms", "p50_ms", "p99_ms"}) {
      const std::string which = key;
      CAPTURE(which);
      CHECK(latency["source"][which].get<double>() >= 110);
      CHECK(latency["target"][which].get<double>() > 0);
    }
    const auto found = of_check(preflight, "latency", "source");
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == "warning");
    CHECK(found[0].what.find("a round trip takes 1") == 0);
    CHECK(of_check(preflight, "latency", "target").size() == 1);
  }
}
