// Groups that come, change and go while the link streams, because the configuration was read again.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "existing_links.h"
#include "support/http.h"

using namespace repld::testing;

namespace {

constexpr const char* kClients = "[[groups]]\nname = \"clients\"\ntables = [\"public.clients\"]\n";
constexpr const char* kMoved =
    "[[groups]]\nname = \"sales\"\ntables = [\"public.clients\", \"public.orders\"]\n";
constexpr const char* kNotes =
    "[[groups]]\nname = \"notes\"\ntables = [\"public.notes\"]\nprimary = \"target\"\n";

// `groups` are the last sections of the file.
void rewrite(const Pair& pair, const std::string& groups) {
  std::string text = read_file(pair.daemon.config_path());
  text.erase(std::min(text.find("[[groups]]"), text.size()));
  std::ofstream(pair.daemon.config_path(), std::ios::trunc) << text << groups;
}

// The operator's way: edit the file, reload.
void reload(Pair& pair, const std::string& groups) {
  rewrite(pair, groups);
  pair.daemon.signal(SIGHUP);
}

nlohmann::json primary(const Pair& pair) {
  const auto status = nlohmann::json::parse(pair.daemon.status_json());
  return nlohmann::json::parse(http_request(status["http_listen"], "/primary").body);
}

// {"clients": its group, ..}
nlohmann::json groups_of_tables(const Pair& pair) {
  nlohmann::json groups = nlohmann::json::object();
  const nlohmann::json link = pair.link();
  for (const auto& table : link["tables"]) {
    groups[table["name"].get<std::string>()] = table["group"];
  }
  return groups;
}

// What /primary answers, and the group of each table.
bool becomes(const Pair& pair, const std::string& sides, const std::string& tables) {
  return eventually(30s, [&] {
    return pair.link()["state"] == "streaming" && primary(pair).dump() == sides &&
           groups_of_tables(pair).dump() == tables;
  });
}

void check_goes_on(const Pair& pair, int id) {
  const std::string row = " values (" + std::to_string(id) + ")";
  pair.on_source("insert into clients" + row + "; insert into orders" + row);
  REQUIRE(pair.caught_up());
  CHECK(pair.difference({"public.clients", "public.orders"}) == "");
}

constexpr const char* kTables =
    "create table clients (id int primary key); create table orders (id int primary key)";

}  // namespace

TEST_SUITE("groups_reload") {
  TEST_CASE("a group comes, takes a table from another and goes, and nothing is copied again") {
    Pair pair;
    pair.on_both(kTables);
    pair.on_source("insert into clients values (1); insert into orders values (1)");
    REQUIRE(pair.begin());
    const pid_t process = pair.daemon.pid();
    const auto copied_at = [&] {
      return rows(pair.target.dsn, "select table_name, copied_at from repld.table_state");
    };
    const std::string copied = copied_at();
    CHECK(becomes(pair, R"({"all":"source"})", R"({"clients":"all","orders":"all"})"));
    reload(pair, kClients);
    CHECK(becomes(pair, R"({"all":"source","clients":"source"})",
                  R"({"clients":"clients","orders":"all"})"));
    check_goes_on(pair, 2);
    reload(pair, kMoved);
    CHECK(becomes(pair, R"({"all":"source","sales":"source"})",
                  R"({"clients":"sales","orders":"sales"})"));
    check_goes_on(pair, 3);
    CHECK(nlohmann::json::parse(read_file(pair.daemon.directory() + "/primary.json")) ==
          primary(pair));
    reload(pair, "");
    CHECK(becomes(pair, R"({"all":"source"})", R"({"clients":"all","orders":"all"})"));
    check_goes_on(pair, 4);
    CHECK(copied_at() == copied);
    CHECK(pair.daemon.pid() == process);
    CHECK(pair.daemon.running());
  }

  TEST_CASE("a group that is given twice is told at the reload, and all goes on as it was") {
    Pair pair;
    pair.on_both(kTables);
    REQUIRE(pair.begin());
    reload(pair, kClients);
    REQUIRE(becomes(pair, R"({"all":"source","clients":"source"})",
                    R"({"clients":"clients","orders":"all"})"));
    reload(pair, std::string(kClients) + kClients);
    CHECK(pair.daemon.wait_log("left as it was", 20s));
    CHECK(has(pair.daemon.log_text(), "is used twice"));
    rewrite(pair, kClients);  // replctl reads the file too
    CHECK(becomes(pair, R"({"all":"source","clients":"source"})",
                  R"({"clients":"clients","orders":"all"})"));
    check_goes_on(pair, 2);
  }

  TEST_CASE("a table that lives on the target joins when its group goes, once it is emptied") {
    PairOptions options;
    options.extra = kNotes;
    Pair pair(options);
    pair.on_both(std::string(kTables) + "; create table notes (id int primary key)");
    pair.on_source("insert into notes values (1), (2)");
    pair.on_target("insert into notes values (7)");
    REQUIRE(pair.begin());
    CHECK(primary(pair)["notes"] == "target");
    reload(pair, "");
    REQUIRE(eventually(30s, [&] {
      const std::string said = events(pair);
      return has(said, "public.notes") && has(said, "not empty");
    }));
    CHECK(pair.count(pair.target.dsn, "notes where id = 7") == 1);
    CHECK(pair.count(pair.target.dsn, "notes") == 1);
    check_goes_on(pair, 2);
    pair.on_target("delete from notes");
    REQUIRE(eventually(60s, [&] { return pair.count(pair.target.dsn, "notes") == 2; }));
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.notes"}) == "");
    CHECK(sqlstate_of(pair.target.dsn, "delete from notes") == "25006");
  }

  TEST_CASE("a replicated table is not given to the target by a reload, and nobody is told so") {
    Pair pair;
    pair.on_both(std::string(kTables) + "; create table notes (id int primary key)");
    pair.on_source("insert into notes values (1), (2)");
    REQUIRE(pair.begin());
    reload(pair, kNotes);
    REQUIRE(stops_with(pair, "in a group that lives on the target"));
    CHECK(pair.link()["error"]["table"] == "public.notes");
    CHECK(primary(pair).dump() == R"({"all":"source","notes":"source"})");
    CHECK(sqlstate_of(pair.target.dsn, "delete from notes") == "25006");
    reload(pair, "");
    CHECK(
        becomes(pair, R"({"all":"source"})", R"({"clients":"all","notes":"all","orders":"all"})"));
    pair.on_source("insert into notes values (3)");
    check_goes_on(pair, 2);
    CHECK(pair.difference({"public.notes"}) == "");
  }
}
