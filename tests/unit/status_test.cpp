#include "core/status.h"

#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "sample_status.h"

using namespace repld;
using namespace repld::testing;
using Json = nlohmann::ordered_json;

TEST_CASE("every state has a name of its own") {
  std::set<std::string> names;
  for (const LinkState state : kLinkStates) {
    names.insert(to_string(state));
  }
  CHECK(names == std::set<std::string>{"starting", "setting_up", "copying", "streaming", "retrying",
                                       "paused", "slot_lost", "stopped"});
  names.clear();
  for (const TableState state : kTableStates) {
    names.insert(to_string(state));
  }
  CHECK(names == std::set<std::string>{"pending", "copying", "copied", "refused"});
}

TEST_CASE("the status as JSON has every field in a fixed order, positions as text") {
  Status status = sample_status();
  status.links[0].error = sample_error();
  const std::string expected =
      R"({"version":"1.2.3","started_at":1700000000.0,)"
      R"("at":1700000003.0,"http_listen":"127.0.0.1:9847","links":[{"name":"main",)"
      R"("state":"streaming","paused_by_operator":false,"received":"5/40","applied":"5/30",)"
      R"("durable":"5/20","confirmed":"5/10","source":"5/50","lag_bytes":48,"lag_seconds":1.5,)"
      R"("applied_transactions":7,"applied_rows":21,"rogue_changes":4,)"
      R"("reconnects_source":1,"reconnects_target":2,)"
      R"("source_up":true,"target_up":true,"copied":true,"incomplete":false,)"
      R"("slot":{"name":"repld_main",)"
      R"("exists":true,"active":true,"wal_status":"reserved","safe_bytes":9000000,)"
      R"("retained_bytes":5000000},"error":{"kind":"conflict",)"
      R"("message":"the target refused a row","detail":"in a batch of 3","hint":"Look at it.",)"
      R"("sqlstate":"23505","table":"public.clients","transaction":"5/35",)"
      R"("at":1700000001.0},"tables":[)"
      R"({"schema":"public","name":"clients","group":"salon","state":"copying","rows_copied":40,)"
      R"("bytes_copied":1000,"bytes_total":4000,"missing_rows":3,)"
      R"("unexpected_rows":0,"copied_at":1700000002.5,"reason":"","proof":null}]}],)"
      R"("groups":[{"name":"salon","primary":"source"},{"name":"rest","primary":"target"}]})";
  CHECK(status_json(status) == expected);
}

TEST_CASE("what is not known or not there is null or empty in JSON, never left out") {
  Status status = sample_status();
  status.links[0].slot.safe_bytes.reset();
  status.links[0].tables.clear();
  const Json json = Json::parse(status_json(status));
  CHECK(json.at("links")[0].at("slot").at("safe_bytes").is_null());
  CHECK(json.at("links")[0].at("error").is_null());
  CHECK(json.at("links")[0].at("tables") == Json::array());

  const Json empty = Json::parse(status_json(Status()));
  CHECK(empty.at("links") == Json::array());
  CHECK(empty.at("groups") == Json::array());
}

TEST_CASE("names that need escaping survive the way through JSON") {
  Status status = sample_status();
  const std::string name = "a\"b\\c\n\xD0\xBF\x01</script>";
  status.links[0].tables[0].name = name;
  const Json json = Json::parse(status_json(status));
  CHECK(json.at("links")[0].at("tables")[0].at("name").get<std::string>() == name);
}

TEST_CASE("text that is no UTF-8 does not keep the status from being told") {
  Status status = sample_status();
  status.links[0].tables[0].name = "caf\xE9";
  status.groups[0].name = "\xFF";
  CHECK(Json::accept(status_json(status)));
  CHECK(Json::accept(*primary_json(status)));
  CHECK(Json::accept(events_json({{1, 2, "main", "error", "caf\xE9"}})));
}

TEST_CASE("a daemon is ready when each link streams, is copied and lags no more than allowed") {
  struct Row {
    const char* name;
    std::function<void(LinkStatus&)> change;
    std::vector<std::string> reasons;
  };
  const Row rows[] = {
      {"all well", [](LinkStatus&) {}, {}},
      {"just allowed", [](LinkStatus& link) { link.lag_seconds = 5; }, {}},
      {"lags",
       [](LinkStatus& link) { link.lag_seconds = 5.25; },
       {"link main lags 5.2 s, allowed are 5.0 s"}},
      {"not copied", [](LinkStatus& link) { link.copied = false; }, {"link main is still copying"}},
      {"error while streaming", [](LinkStatus& link) { link.error = sample_error(); }, {}},
      {"retrying, nothing to blame",
       [](LinkStatus& link) {
         link.state = LinkState::retrying;
         link.error = ErrorStatus{};
       },
       {"link main is retrying"}},
      {"paused by a table",
       [](LinkStatus& link) {
         link.state = LinkState::paused;
         link.error = sample_error();
         link.lag_seconds = 99;
       },
       {"link main is paused because of table public.clients"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Status status = sample_status();
    row.change(status.links[0]);
    CHECK(unready_reasons(status, 5) == row.reasons);
  }
}

TEST_CASE("a link in any state but streaming is not ready, and each link has its reason") {
  Status status;
  size_t others = 0;
  for (const LinkState state : kLinkStates) {
    LinkStatus link = sample_link();
    link.state = state;
    status.links.push_back(link);
    others += state == LinkState::streaming ? 0U : 1U;
  }
  CHECK(unready_reasons(status, 5).size() == others);
}

TEST_CASE("the side of each group is told as an object") {
  CHECK(primary_json(sample_status()) == R"({"salon":"source","rest":"target"})");
  CHECK(primary_json(Status()) == "{}");
  Status unread = sample_status();
  unread.groups[1].primary = "unknown";
  CHECK_FALSE(primary_json(unread).has_value());
}

TEST_CASE("events are told in the order given") {
  CHECK(events_json({}) == R"({"events":[]})");
  CHECK(events_json({{7, 1.5, "main", "started", "a \"b\""}, {8, 2, "main", "paused", ""}}) ==
        R"({"events":[{"id":7,"at":1.5,"link":"main","kind":"started","message":"a \"b\""},)"
        R"({"id":8,"at":2.0,"link":"main","kind":"paused","message":""}]})");
}
