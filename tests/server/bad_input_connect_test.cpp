// Servers that do not let us in: each reason is told with what to do, the process stays, asks
// seldom, and goes on by itself or on `replctl resume` when it is mended.
#include <doctest/doctest.h>

#include <fstream>

#include "pg/connect_error.h"
#include "server/bad_input.h"
#include "support/pgbouncer.h"

using namespace repld::testing;

namespace {

// Both sides by TLS and password, a table, nothing replicated yet.
class Doors {
 public:
  Doors() : source(supabase_like()), target(timeweb_like(timeweb_variant())) {
    for (Platform* platform : {&source, &target}) {
      if (platform->authority == nullptr) {
        require_tls(*platform);
      }
      Pair::run_sql(platform->dsn, "create table t (id int primary key)");
    }
    Pair::run_sql(source.dsn, "insert into t values (1), (2)");
  }

  bool equal() const { return compare_databases(source.dsn, target.dsn, {"public.t"}).empty(); }
  bool untouched() const {
    return Pair::run_sql(target.superuser_dsn, "select from pg_namespace where nspname = 'repld'")
        .empty();
  }

  Platform source;
  Platform target;
};

struct Mistake {
  std::string name;
  std::string dsn;
  std::vector<std::string> told;
  const char* sqlstate;
};

std::vector<Mistake> mistakes(const Platform& platform, const std::string& side,
                              const std::string& other_ca) {
  const std::string& dsn = platform.remote_dsn;
  const std::string key = side + ".dsn";
  const std::string unknown = "no-such-host.invalid";
  const std::string name = kServerName;
  return {
      {"unknown host",
       with(with(dsn, "hostaddr", ""), "host", unknown),
       {unknown, "Check host in " + key, "IPv6"},
       ""},
      {"wrong port", with(dsn, "port", "1"), {"refused", "check host and port in " + key}, ""},
      {"wrong password",
       with(dsn, "password", "canary'pw\\"),
       {"authentication failed", "user \"" + platform.user + "\"", "percent-encoded"},
       "28P01"},
      {"no password",
       with(dsn, "password", ""),
       {"no password supplied", side + ".password_file"},
       "28P01"},
      {"unknown user", with(dsn, "user", "postgers"), {"postgers", "Check the user"}, "28P01"},
      {"unknown database",
       with(dsn, "dbname", "postgers"),
       {"\"postgers\" does not exist", "Check dbname in " + key},
       "3D000"},
      {"certificate for another name",
       with(dsn, "host", "127.0.0.1"),
       {name, "does not match host name \"127.0.0.1\"", "hostaddr"},
       ""},
      {"CA file that is missing",
       with(dsn, "sslrootcert", "/nonexistent/ca.crt"),
       {"/nonexistent/ca.crt", "does not exist", "Download the provider's CA"},
       ""},
      {"certificate of another CA",
       with(dsn, "sslrootcert", other_ca),
       {"certificate verify failed", "not signed by " + other_ca, "openssl s_client"},
       ""},
      {"no TLS", with(dsn, "sslmode", "disable"), {"no encryption", "only with TLS"}, "28000"},
  };
}

// `good`: of the other side.
void check_told(const Mistake& mistake, const std::string& side, const std::string& good) {
  CAPTURE(mistake.name);
  const bool of_source = side == "source";
  Daemon daemon(of_source ? mistake.dsn : good, of_source ? good : mistake.dsn, "pair");
  daemon.start();
  const nlohmann::json error = told(daemon, mistake.told.back());
  CHECK(error["message"] == "cannot connect to the " + side);
  for (const std::string& part : mistake.told) {
    CHECK_MESSAGE(has(error, part), part << " in: " << error["text"]);
  }
  CHECK(error["sqlstate"] == mistake.sqlstate);
  CHECK(error["state"] == "retrying");
  CHECK((daemon.log_text() + daemon.status_json()).find("canary") == std::string::npos);
  CHECK(daemon.terminate() == 0);
}

}  // namespace

TEST_SUITE("bad_input") {
  TEST_CASE("an address, a password or a certificate that is wrong is told with its remedy") {
    const Doors doors;
    for (const Mistake& mistake :
         mistakes(doors.source, "source", doors.target.authority->root_path())) {
      check_told(mistake, "source", doors.target.remote_dsn);
    }
  }

  TEST_CASE("the same on the target's side") {
    const Doors doors;
    for (const Mistake& mistake :
         mistakes(doors.target, "target", doors.source.authority->root_path())) {
      check_told(mistake, "target", doors.source.remote_dsn);
    }
    CHECK(doors.untouched());
  }

  TEST_CASE("an expired certificate is told, and its renewal is noticed") {
    Doors doors;
    for (Platform* platform : {&doors.source, &doors.target}) {
      CAPTURE(platform->user);
      platform->cluster->use_certificate(
          platform->authority->issue(kServerName, Validity::expired));
      Daemon daemon(doors.source.remote_dsn, doors.target.remote_dsn, "pair");
      daemon.start();
      const nlohmann::json error = told(daemon, "has expired");
      CHECK_MESSAGE(has(error, "has expired"), error["text"]);
      platform->cluster->use_certificate(platform->authority->issue(kServerName));
      REQUIRE(daemon.wait_for("caught-up", 60s));
      CHECK(doors.equal());
    }
  }

  TEST_CASE("a wild password works in a file, in the environment, as pairs and in a URI") {
    const Doors doors;
    const std::string bare = with(doors.target.remote_dsn, "password", "");
    const std::string uri =
        "postgresql://gen_user:a%7Bb%7Cc%7Dd%3Ce%3Ef%3Fg%40h%25i%27j%22k%5Cl%20m@" +
        std::string(kServerName) + ":" + std::to_string(doors.target.remote_port()) +
        "/default_db?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=" +
        doors.target.authority->root_path();
    for (const std::string way : {"file", "environment", "pairs", "uri"}) {
      CAPTURE(way);
      const std::string dsn = way == "pairs" ? doors.target.remote_dsn : way == "uri" ? uri : bare;
      Daemon daemon(doors.source.remote_dsn, dsn, "by_" + way);
      const std::string file = daemon.directory() + "/password";
      std::ofstream(file) << kWildPassword << "\n";
      if (way == "file") {
        daemon.add_to_target("password_file = \"" + file + "\"");
      } else if (way == "environment") {
        daemon.add_to_target("password_env = \"TARGET_PW\"");
        daemon.add_environment(std::string("TARGET_PW=") + kWildPassword);
      }
      daemon.start();
      CHECK_MESSAGE(daemon.wait_for("caught-up", 30s), daemon.log_text());
      CHECK(doors.equal());
      CHECK(daemon.replctl({"finalize", "--yes"}).exit_code == 0);
      Pair::run_sql(doors.target.dsn, "truncate t");
    }
  }

  TEST_CASE("a password changed while running is told, asked for seldom, and read anew") {
    Doors doors;
    TcpProxy counter(doors.target.remote_port());
    Daemon daemon(
        doors.source.remote_dsn,
        with(with(doors.target.remote_dsn, "password", ""), "port", std::to_string(counter.port())),
        "pair");
    const std::string file = daemon.directory() + "/password";
    std::ofstream(file) << kWildPassword << "\n";
    daemon.add_to_target("password_file = \"" + file + "\"");
    daemon.start();
    REQUIRE(daemon.wait_for("caught-up", 60s));
    Pair::run_sql(doors.target.superuser_dsn, "alter role gen_user password 'new{pw}'");
    counter.cut();
    const nlohmann::json error = told(daemon, "authentication failed");
    CHECK_MESSAGE(error["sqlstate"] == "28P01", error["text"]);
    Pair::run_sql(doors.source.dsn, "insert into t values (3)");
    const int tries = counter.accepted();
    std::this_thread::sleep_for(6s);  // the point: nothing happens meanwhile
    CHECK(counter.accepted() - tries <= 2);
    CHECK(daemon.running());
    std::ofstream(file, std::ios::trunc) << "new{pw}";
    REQUIRE(daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(daemon.wait_for("caught-up", 20s));
    const std::string target = with(doors.target.dsn, "password", "new{pw}");
    CHECK(compare_databases(doors.source.dsn, target, {"public.t"}).empty());
  }

  TEST_CASE("a pooler instead of the server is recognised, whatever it does with `replication`") {
    const Doors doors;
    for (const PoolMode mode : {PoolMode::session, PoolMode::transaction}) {
      for (const auto parameters :
           {StartupParameters::replication_refused, StartupParameters::ignored}) {
        const PgBouncer pooler(doors.source, mode, parameters);
        Daemon daemon(pooler.dsn(), doors.target.remote_dsn, "pair");
        daemon.start();
        const nlohmann::json error = told(daemon, "connection pooler");
        CHECK_MESSAGE(has(error, "connection pooler"), error["text"]);
        CHECK_MESSAGE(has(error, "source.dsn"), error["text"]);
        CHECK(error["state"] == "retrying");
        CHECK(doors.equal() == false);
      }
    }
  }

  TEST_CASE("a pooler in front of the target drops our settings, which is told and not risked") {
    const Doors doors;
    const PgBouncer pooler(doors.target, PoolMode::transaction, StartupParameters::ignored);
    Daemon daemon(doors.source.remote_dsn, pooler.dsn(), "pair");
    daemon.start();
    const nlohmann::json error = told(daemon, "connection pooler");
    CHECK_MESSAGE(has(error, "target.dsn"), error["text"]);
    CHECK(Pair::run_sql(doors.target.dsn, "select from t").empty());
    CHECK(doors.untouched());
  }

  TEST_CASE("the SQLSTATE of a refusal is known also when its words are not") {
    const Doors doors;
    repld::pg::Server server{
        repld::Side::source, with(doors.source.remote_dsn, "password", "no"), {}};
    CHECK(repld::pg::refusal_sqlstate(server, repld::pg::Purpose::control) == "28P01");
    server.dsn = doors.source.remote_dsn;
    CHECK(repld::pg::refusal_sqlstate(server, repld::pg::Purpose::control) == "");
    server.dsn = with(doors.source.remote_dsn, "port", "1");
    CHECK(repld::pg::refusal_sqlstate(server, repld::pg::Purpose::control) == "");
  }

  TEST_CASE(
      "a server that listens on IPv6 only is reached there, and missed elsewhere with a hint") {
    const Platform source = supabase_like(0, {{"listen_addresses", "::1"}});
    const Platform target = timeweb_like(timeweb_variant());
    Pair::run_sql(source.superuser_dsn,
                  "create table t (id int primary key); insert into t "
                  "values (1); alter table t owner to postgres");
    Pair::run_sql(target.dsn, "create table t (id int primary key)");
    Daemon missed(source.dsn, target.remote_dsn, "pair");
    missed.start();
    CHECK(has(told(missed, "refused"), "check host and port in source.dsn"));
    missed.kill9();
    const std::string there = source.authority == nullptr ? with(source.dsn, "host", "::1")
                                                          : with(source.dsn, "hostaddr", "::1");
    Daemon daemon(there, target.remote_dsn, "pair");
    daemon.start();
    REQUIRE(daemon.wait_for("caught-up", 60s));
    CHECK(Pair::run_sql(target.dsn, "select from t").size() == 1);
  }
}
