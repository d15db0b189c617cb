// A group that lives on the target already: the link leaves its tables alone, and they it.
#include <doctest/doctest.h>

#include <csignal>

#include "existing_links.h"
#include "support/http.h"

using namespace repld::testing;

namespace {

constexpr const char* kGroup =
    "[tables]\ninclude = [\"public.*\"]\n"
    "[[groups]]\nname = \"whatsapp\"\n"
    "tables = [\"public.whatsapp_*\", \"elsewhere.*\"]\nprimary = \"target\"\n";

// `clients` is replicated. Of the others, the target has its own rows, and the source old ones.
constexpr const char* kClients = "create table clients (id int primary key, name text); ";
constexpr const char* kKeys =
    "create table whatsapp_keys (k text primary key, v text, at timestamptz); "
    "create function touch() returns trigger language plpgsql as $$ begin new.at = now(); "
    "return new; end $$; "
    "create trigger touch before insert or update on whatsapp_keys for each row "
    "execute function touch(); ";
constexpr const char* kOnTarget =
    "create table whatsapp_auth (id int primary key); insert into whatsapp_auth values (1); "
    "create schema elsewhere; create table elsewhere.notes (id int primary key); "
    "insert into elsewhere.notes values (1); ";

PairOptions with_group(const std::string& link_extra = "") {
  PairOptions options;
  options.extra = kGroup;
  options.link_extra = link_extra;
  return options;
}

void load(const Pair& pair) {
  pair.on_both(std::string(kClients) + kKeys);
  pair.on_target(kOnTarget);
  pair.on_source(
      "insert into clients select i, 'c' || i from generate_series(1, 500) i; "
      "insert into whatsapp_keys values ('old', 'of the source'), ('both', 'of the source')");
  pair.on_target(
      "insert into whatsapp_keys values ('new', 'of the target'), ('both', 'of the target')");
}

// Guards and what is set aside, of tables that live on the target.
int64_t traces(const Pair& pair) {
  return pair.count(pair.target.superuser_dsn,
                    "pg_trigger where tgname like 'repld_guard_%' and "
                    "tgrelid::regclass::text ~ 'whatsapp|elsewhere'") +
         pair.count(pair.target.superuser_dsn,
                    "repld.set_aside where table_name ~ 'whatsapp|notes'") +
         pair.count(pair.target.superuser_dsn,
                    "repld.table_state where table_name ~ 'whatsapp|notes'");
}

std::string keys(const Pair& pair) {
  return rows(pair.target.dsn, "select k, v from public.whatsapp_keys");
}

void write_on_target(const Pair& pair, int round) {
  const std::string n = std::to_string(round);
  pair.on_target("insert into whatsapp_keys values ('t" + n + "', '" + n +
                 "'); update whatsapp_keys set v = v || '.' where k = 'new'; "
                 "insert into whatsapp_auth values (100 + " +
                 n +
                 "); "
                 "insert into elsewhere.notes values (100 + " +
                 n + ")");
}

void check_left_alone(const Pair& pair, int rounds) {
  CHECK(traces(pair) == 0);
  CHECK(keys(pair).find("source") == std::string::npos);
  CHECK(pair.count(pair.target.dsn, "whatsapp_keys where k = 'both' and v = 'of the target'") == 1);
  CHECK(pair.count(pair.target.dsn, "whatsapp_keys where k like 't%' and at is not null") ==
        rounds);
  CHECK(pair.count(pair.target.dsn, "whatsapp_auth") == 1 + rounds);
  CHECK(pair.count(pair.target.dsn, "elsewhere.notes") == 1 + rounds);
  CHECK(pair.difference({"public.clients"}) == "");
}

void check_says_target(const Pair& pair) {
  const auto status = nlohmann::json::parse(pair.daemon.status_json());
  const nlohmann::json sides = {{"all", "source"}, {"whatsapp", "target"}};
  CHECK(nlohmann::json::parse(http_request(status["http_listen"], "/primary").body) == sides);
  CHECK(nlohmann::json::parse(read_file(pair.daemon.directory() + "/primary.json")) == sides);
  const std::string groups = status["groups"].dump();
  CHECK(groups == R"([{"name":"all","primary":"source"},{"name":"whatsapp","primary":"target"}])");
  const std::string shown = pair.daemon.replctl({"status"}).out;
  const size_t line = shown.find("whatsapp");
  REQUIRE(line != std::string::npos);
  CHECK(shown.substr(line, shown.find('\n', line) - line).find("target") != std::string::npos);
}

// What the source does to its own old tables of the group reaches nobody.
void write_on_source(const Pair& pair, int round) {
  const std::string n = std::to_string(round);
  pair.on_source("insert into clients values (1000 + " + n + ", 'x'); " +
                 "insert into whatsapp_keys values ('s" + n + "', 'of the source')");
  pair.on_source(
      "update whatsapp_keys set v = 'of the source, again'; delete from clients "
      "where id = " +
      n);
}

}  // namespace

TEST_SUITE("target_groups") {
  TEST_CASE("tables of a group that lives on the target are neither read nor written nor barred") {
    Pair pair(with_group());
    load(pair);
    CHECK(pair.daemon.replctl({"doctor"}).exit_code == 0);
    REQUIRE(pair.begin());
    CHECK(rows(pair.source.dsn,
               "select tablename from pg_publication_tables "
               "where pubname = 'repld_pair'") == "(clients)");
    check_says_target(pair);
    for (int round = 1; round <= 3; ++round) {
      write_on_target(pair, round);
      write_on_source(pair, round);
    }
    pair.on_source("truncate whatsapp_keys");
    REQUIRE(pair.caught_up());
    check_left_alone(pair, 3);

    pair.daemon.kill9();
    write_on_target(pair, 4);
    write_on_source(pair, 4);
    pair.daemon.start();
    write_on_target(pair, 5);
    REQUIRE(pair.caught_up());
    check_left_alone(pair, 5);
    check_says_target(pair);

    CHECK(pair.daemon.replctl({"finalize", "--yes"}).exit_code == 0);
    check_left_alone(pair, 5);
  }

  TEST_CASE("a set-up that is killed half-way leaves them alone too") {
    Pair pair(with_group());
    load(pair);
    for (const char* point : {"setup.after_guard=kill", "copy.before_done=kill"}) {
      CAPTURE(point);
      pair.daemon.start(point);
      REQUIRE(pair.daemon.wait_for_death() == 128 + SIGKILL);
      CHECK(traces(pair) == 0);
    }
    write_on_target(pair, 1);
    REQUIRE(pair.begin());
    check_left_alone(pair, 1);
  }

  TEST_CASE("publications of others that give them are read past them") {
    PairOptions options = through("\"everything\"", kGroup);
    Pair pair(options);
    load(pair);
    as_admin(pair.source, "create publication everything for all tables");
    REQUIRE(pair.begin());
    write_on_target(pair, 1);
    write_on_source(pair, 1);
    pair.on_source("truncate whatsapp_keys");
    REQUIRE(pair.caught_up());
    check_left_alone(pair, 1);
  }

  TEST_CASE("a replicated table does not become one of them by a change of the configuration") {
    Pair pair(with_group());
    load(pair);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.terminate() == 0);
    replace_in_config(pair.daemon, "public.whatsapp_*", "public.*");
    pair.daemon.start();
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    CHECK(has(pair.error_message(), "in a group that lives on the target"));
    CHECK(pair.link()["error"]["table"] == "public.clients");
    CHECK(sqlstate_of(pair.target.dsn, "delete from clients") == "25006");
    // Nor is anybody told so.
    const auto status = nlohmann::json::parse(pair.daemon.status_json());
    const auto told = http_request(status["http_listen"], "/primary").body;
    CHECK(nlohmann::json::parse(told)["whatsapp"] == "source");
    pair.on_source("insert into clients values (7000, 'meanwhile')");
    REQUIRE(pair.daemon.terminate() == 0);
    replace_in_config(pair.daemon, "tables = [\"public.*\"", "tables = [\"public.whatsapp_*\"");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.clients"}) == "");
  }

  // While the target is away, the daemon cannot know what it has taken.
  TEST_CASE("where a group is written is not guessed from a changed configuration") {
    Pair pair(with_group());
    load(pair);
    REQUIRE(pair.begin());
    const std::string file = pair.daemon.directory() + "/primary.json";
    const std::string before = read_file(file);
    REQUIRE(pair.daemon.terminate() == 0);
    replace_in_config(pair.daemon, "public.whatsapp_*", "public.*");
    pair.target.cluster->stop(StopMode::fast);
    pair.daemon.start();
    REQUIRE(pair.daemon.wait_for_state("retrying", 20s));
    const std::string address = nlohmann::json::parse(pair.daemon.status_json())["http_listen"];
    const HttpAnswer unknown = http_request(address, "/primary");
    CHECK(unknown.status == 503);
    CHECK(nlohmann::json::parse(unknown.body).contains("error"));
    CHECK(read_file(file) == before);
    CHECK(has(pair.daemon.replctl({"status"}).out, "group whatsapp: where it is written is not"));

    pair.target.cluster->start();
    REQUIRE(stops_with(pair, "in a group that lives on the target", 60s));
    // Routes are read on both sides, from time to time while one was away.
    REQUIRE(eventually(20s, [&] { return http_request(address, "/primary").status == 200; }));
    const HttpAnswer known = http_request(address, "/primary");
    CHECK(nlohmann::json::parse(known.body)["whatsapp"] == "source");
  }

  TEST_CASE("where a group is written is known of a link that the operator has paused") {
    Pair pair(with_group());
    load(pair);
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"pause"}).exit_code == 0);
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    REQUIRE(pair.daemon.terminate() == 0);
    pair.daemon.start();
    REQUIRE(pair.daemon.wait_for_state("paused", 20s));
    check_says_target(pair);
  }
}
