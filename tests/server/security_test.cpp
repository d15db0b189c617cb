// What nobody may learn from repld, what the network may not do to it, and how little it needs.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fstream>

#include "support/http.h"
#include "support/pair.h"

using namespace repld::testing;

namespace {

namespace asio = boost::asio;

constexpr const char* kPassword = "canary-password{|}";
constexpr const char* kValue = "canary-value";

std::string http_address(const Daemon& daemon) {
  return nlohmann::json::parse(daemon.status_json())["http_listen"];
}

// A client that is no library: what it sends is what the test says.
class RawClient {
 public:
  RawClient(asio::io_context& io, const std::string& address) : socket_(io) {
    const size_t colon = address.rfind(':');
    asio::connect(socket_, asio::ip::tcp::resolver(io).resolve(address.substr(0, colon),
                                                               address.substr(colon + 1)));
  }
  void send(const std::string& text) {
    boost::system::error_code ignored;
    asio::write(socket_, asio::buffer(text), ignored);
  }
  // Everything until the other end closes.
  std::string read_to_end() {
    std::string text;
    boost::system::error_code end;
    asio::read(socket_, asio::dynamic_buffer(text), end);
    return text;
  }

 private:
  asio::ip::tcp::socket socket_;
};

constexpr const char* kRoleTables =
    "create table t (id int primary key, v text); create table p (id int, d int, "
    "primary key (id, d)) partition by range (d); "
    "create table p1 partition of p for values from (0) to (10); "
    "create table c (id int primary key, t int references t)";

std::string role_script(const std::string& file) {
  return read_file(std::string(REPLD_SOURCE_DIR) + "/sql/roles/" + file);
}

std::string as_repld(const Platform& platform) {
  return platform.remote_dsn + " user=repld password='a b'";
}

// What role repld may do beyond what its memberships give; right to log in aside.
std::string powers(const Platform& platform) {
  return Pair::run_sql(
             platform.superuser_dsn,
             "select concat_ws(' ', case when rolsuper then 'superuser' end, "
             "case when rolreplication then 'replication' end, "
             "case when rolbypassrls then 'bypassrls' end, "
             "case when rolcreaterole then 'createrole' end, "
             "case when rolcreatedb then 'createdb' end) from pg_roles where rolname = 'repld'")
      [0][0]
          .c_str();
}

// Every place where the daemon of this pair says something.
std::map<std::string, std::string> all_words(const Pair& pair) {
  const Daemon& daemon = pair.daemon;
  const std::string address = http_address(daemon);
  const std::string proc = "/proc/" + std::to_string(daemon.pid());
  const auto said = [](const Outcome& outcome) { return outcome.out + outcome.err; };
  std::map<std::string, std::string> words = {
      {"log", daemon.log_text()},
      {"status", daemon.status_json()},
      {"status for people", said(daemon.replctl({"status"}))},
      {"tables", said(daemon.replctl({"tables"}))},
      {"events", said(daemon.replctl({"events"}))},
      {"config check", said(daemon.replctl({"config", "check"}))},
      {"metrics", http_request(address, "/metrics").body},
      {"page", http_request(address, "/").body},
      {"readiness", http_request(address, "/readyz").body},
      {"command line", read_file(proc + "/cmdline")},
      {"environment", read_file(proc + "/environ")},
      {"primary.json", read_file(daemon.directory() + "/primary.json")},
  };
  for (const auto& row :
       Pair::run_sql(pair.target.superuser_dsn, "select message from repld.event")) {
    words["repld.event"] += row[0].c_str();
  }
  return words;
}

}  // namespace

TEST_SUITE("security") {
  TEST_CASE("neither a password nor a row's value is said anywhere, whatever goes wrong") {
    PairOptions options;
    options.extra = "[log]\nlevel = \"trace\"";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, v text); create table k (v text)");
    pair.on_source("alter table k replica identity full");
    pair.on_target("alter table t add constraint short check (length(v) < 5)");
    as_admin(pair.target, "alter role gen_user password '" + std::string(kPassword) + "'");
    pair.target.cluster->admit({"host all gen_user all scram-sha-256"});
    const std::string file = pair.daemon.directory() + "/password";
    std::ofstream(file) << kPassword;
    pair.daemon.add_to_target("password_file = \"" + file + "\"");
    pair.daemon.start();
    REQUIRE(pair.daemon.wait_for("caught-up", 60s));
    const auto check = [&](const std::string& when) {
      for (const auto& said : all_words(pair)) {
        const std::string& where = said.first;
        const std::string& text = said.second;
        CAPTURE(when);
        CAPTURE(where);
        CHECK(text.find(kPassword) == std::string::npos);
        CHECK(text.find(kValue) == std::string::npos);
      }
    };
    pair.on_source(std::string("insert into k values ('") + kValue + "')");
    REQUIRE(pair.caught_up());
    check("streaming");
    pair.on_source(std::string("insert into t values (1, '") + kValue + "')");
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    check("a row was refused");
  }

  TEST_CASE("the network cannot exhaust the daemon, and never shuts the operator out") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    const std::string address = http_address(pair.daemon);
    asio::io_context io;
    {
      RawClient large_header(io, address);
      large_header.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(64 << 10, 'x') +
                        "\r\n\r\n");
      CHECK(large_header.read_to_end().find(" 200 ") == std::string::npos);
      RawClient large_body(io, address);
      large_body.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" +
                      std::string(64 << 10, 'x'));
      CHECK(large_body.read_to_end().find(" 200 ") == std::string::npos);
    }
    std::vector<std::unique_ptr<RawClient>> crowd;
    for (int i = 0; i < 200; ++i) {
      crowd.push_back(std::make_unique<RawClient>(io, address));
      crowd.back()->send("GET / HT");
    }
    CHECK(pair.daemon.replctl({"status"}).exit_code == 0);
    pair.on_source("insert into t values (1)");
    CHECK(pair.caught_up(20s));
    // The slow ones are shown the door, and others are served again.
    CHECK(crowd.front()->read_to_end() == "");
    CHECK(eventually(20s, [&] {
      try {
        return http_request(address, "/healthz").status == 200;
      } catch (const std::exception&) {
        return false;
      }
    }));
  }

  TEST_CASE("the control socket is for its owner and group, and goes with the daemon") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    struct stat file = {};
    const std::string path = pair.daemon.directory() + "/control.sock";
    REQUIRE(::stat(path.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0660);
    CHECK(pair.daemon.terminate() == 0);
    CHECK(::stat(path.c_str(), &file) != 0);
  }

  TEST_CASE("the roles of sql/roles are enough for a link, and no more than they say") {
    Pair pair;
    pair.on_both(kRoleTables);
    pair.on_source("insert into t values (1, 'a'); insert into p values (1, 1)");
    for (const auto& [platform, file] :
         {std::pair(&pair.source, "source.sql"), std::pair(&pair.target, "target.sql")}) {
      as_admin(*platform,
               "create role app; "
               "do $$ declare t record; begin for t in select oid::regclass as name from pg_class "
               "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') loop "
               "execute format('alter table %s owner to app', t.name); end loop; end $$");
      as_admin(*platform, role_script(file));
      as_admin(*platform, "alter role repld password 'a b'");
    }
    CHECK(powers(pair.source) == "replication");
    CHECK(powers(pair.target) == "");
    Daemon daemon(as_repld(pair.source), as_repld(pair.target), "pair");
    const Outcome doctor = daemon.replctl({"doctor"});
    CHECK_MESSAGE(doctor.exit_code == 0, doctor.out);
    daemon.start();
    REQUIRE_MESSAGE(daemon.wait_for("caught-up", 60s), daemon.log_text());
    as_admin(pair.source,
             "insert into t values (2, 'b'); insert into c values (1, 2); "
             "create table p2 partition of p for values from (10) to (20); "
             "alter table p2 owner to app; insert into p values (2, 12)");
    as_admin(pair.source, "update t set v = 'c' where id = 1; truncate c");
    REQUIRE_MESSAGE(daemon.wait_for("caught-up", 60s), daemon.log_text());
    CHECK(compare_databases(pair.source.superuser_dsn, pair.target.superuser_dsn,
                            {"public.t", "public.p", "public.c"})
              .empty());
    CHECK(daemon.replctl({"finalize", "--yes"}).exit_code == 0);
  }

  // The owner of the database with CREATEROLE, who has ADMIN on roles that it made.
  TEST_CASE("the target's role can be made without a superuser") {
    Pair pair;
    pair.on_both(kRoleTables);
    pair.on_source("insert into t values (1, 'a'); insert into p values (1, 1)");
    pair.on_target(
        "create role app; grant app to current_user; grant create on schema public to app; "
        "alter table c owner to app; alter table p owner to app; alter table p1 owner to app; "
        "alter table t owner to app");
    pair.on_target(role_script("target.sql"));
    pair.on_target("alter role repld password 'a b'");
    CHECK(powers(pair.target) == "");
    Daemon daemon(pair.source.remote_dsn, as_repld(pair.target), "pair");
    const Outcome doctor = daemon.replctl({"doctor"});
    CHECK_MESSAGE(doctor.exit_code == 0, doctor.out);
    daemon.start();
    REQUIRE_MESSAGE(daemon.wait_for("caught-up", 60s), daemon.log_text());
    pair.on_source("insert into t values (2, 'b'); insert into c values (1, 2)");
    REQUIRE_MESSAGE(daemon.wait_for("caught-up", 60s), daemon.log_text());
    CHECK(compare_databases(pair.source.superuser_dsn, pair.target.superuser_dsn,
                            {"public.t", "public.p", "public.c"})
              .empty());
  }
}
