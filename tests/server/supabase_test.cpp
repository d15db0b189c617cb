// What else lives on a Supabase project goes on as it was: its API roles with their short timeouts,
// its Realtime, tables of the platform.
#include <doctest/doctest.h>

#include <atomic>

#include "base/synchronized.h"
#include "existing_links.h"

using namespace repld::testing;

namespace {

// Requests as PostgREST makes them: the login role authenticator, then the role of the request with
// the timeouts that the platform gives it, a transaction each.
class ApiWriter {
 public:
  ApiWriter(const Pair& pair, const std::string& role, const std::string& timeout, int first)
      : thread_([this, dsn = pair.source.superuser_dsn + " user=authenticator", role, timeout,
                 first](const std::stop_token& stop) {
          try {
            pqxx::connection connection(dsn);
            for (int i = first; !stop.stop_requested(); i += 10) {
              pqxx::work request(connection);
              request.exec("set local role " + role + "; set local statement_timeout = '" +
                           timeout + "'; set local lock_timeout = '" + timeout + "'");
              const std::string id = std::to_string(i);
              request.exec("insert into public.t values (" + id +
                           ", 'api'); update public.t set v = "
                           "v || 'x' where id = " +
                           std::to_string(i % 3000) +
                           "; delete from public.t where id = " + std::to_string(i - 5000));
              request.commit();
              ++written_;
            }
          } catch (const std::exception& failure) {
            failure_.with([&](std::string& text) { text = failure.what(); });
          }
        }) {}

  bool writes() {
    const int before = written_;
    return eventually(30s, [&] { return written_ > before + 3 || failure_.copy() != ""; });
  }
  // Why it ended before it was asked to.
  std::string stop() {
    thread_.request_stop();
    thread_.join();
    return failure_.copy();
  }

 private:
  std::atomic<int> written_{0};
  repld::Synchronized<std::string> failure_;
  std::jthread thread_;
};

// What others made on the source and on the target, as the catalogs have it.
std::string belongings(const Pair& pair) {
  return rows(pair.source.superuser_dsn,
              "select p, array(select r from pg_publication_rel r where r.prpubid = p.oid), "
              "obj_description(p.oid, 'pg_publication') from pg_publication p "
              "where pubname = 'supabase_realtime'") +
         rows(pair.source.superuser_dsn, "select * from public.of_platform") +
         rows(pair.target.superuser_dsn, "select * from public.of_platform") +
         rows(
             pair.target.superuser_dsn,
             "select c.oid, c.relhastriggers, c.relacl, c.relowner, c.relreplident from pg_class c "
             "where relname = 'of_platform'");
}

}  // namespace

TEST_SUITE("supabase") {
  TEST_CASE("API roles write with their timeouts during copy, verify, repair and resync") {
    PairOptions options;
    options.extra = "[verify]\nevery = \"0\"";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, v text)");
    pair.on_source(
        "insert into t select i, repeat(md5(i::text), 10) from generate_series(0, 20000) i");
    ApiWriter service(pair, "service_role", "8s", 100'001);
    ApiWriter visitor(pair, "anon", "3s", 100'002);
    const auto both_write = [&] { return service.writes() && visitor.writes(); };
    REQUIRE(both_write());
    pair.daemon.start("copy.after_chunk=sleep:200");
    REQUIRE(pair.daemon.wait_for("copied", 60s));
    REQUIRE(pair.caught_up());
    CHECK(both_write());
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
    pair.past_guard("update t set v = 'drift' where id between 10000 and 12000");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 1);
    CHECK(pair.daemon.replctl({"repair"}).exit_code == 0);
    CHECK(both_write());
    CHECK(pair.daemon.replctl({"resync", "public.t"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for("copied", 60s));
    CHECK(both_write());
    CHECK(service.stop() == "");
    CHECK(visitor.stop() == "");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("Realtime's publication of a table of ours, and tables of others, stay as they are") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.*\"]\nexclude = [\"public.of_platform\"]";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, v text)");
    for (const Platform* platform : {&pair.source, &pair.target}) {
      as_admin(*platform,
               "create table of_platform (id int primary key); insert into of_platform values (1)");
    }
    as_admin(pair.source,
             "alter publication supabase_realtime add table t, of_platform; "
             "insert into auth.users values (gen_random_uuid(), 'a@example.test')");
    pair.on_source("insert into t values (1, 'a')");
    const std::string before = belongings(pair);
    CHECK(before.find("supabase_realtime") != std::string::npos);
    const Outcome doctor = pair.daemon.replctl({"doctor"});
    CHECK_MESSAGE(doctor.exit_code == 0, doctor.out);
    REQUIRE(pair.begin());
    CHECK(belongings(pair) == before);
    as_admin(pair.source, "insert into of_platform values (2); delete from of_platform");
    as_admin(pair.source, "insert into of_platform values (1)");
    as_admin(pair.target, "update of_platform set id = id");
    pair.on_source("insert into t values (2, 'b')");
    REQUIRE(pair.caught_up());
    REQUIRE(pair.daemon.replctl({"verify"}).exit_code == 0);
    CHECK(pair.count(pair.target.superuser_dsn, "public.of_platform") == 1);
    CHECK(pair.count(pair.target.superuser_dsn,
                     "repld.table_state where table_name <> 't' or schema_name <> 'public'") == 0);
    REQUIRE(pair.daemon.replctl({"resync", "public.t"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for("copied", 60s));
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(belongings(pair) == before);
    REQUIRE(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    CHECK(belongings(pair) == before);
  }
}
