#include "control/routes.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sample_status.h"

using namespace repld;
using namespace repld::control;
using namespace repld::testing;
using Json = nlohmann::json;

namespace {

// A daemon that remembers what it was asked.
struct FakeDaemon {
  Status status = sample_status();
  std::vector<Command> commands;
  CommandRequest last;
  Lsn lsn = Lsn::invalid;
  CommandResult result;
  int64_t after = -1;
  size_t limit = 0;

  ControlPort port() {
    ControlPort port;
    port.status = [this] { return std::make_shared<const Status>(status); };
    port.metrics_text = [] { return std::string("repld_info 1\n"); };
    port.cutover = [] { return std::string("null"); };
    port.events = [this](int64_t wanted_after, size_t wanted_limit) {
      after = wanted_after;
      limit = wanted_limit;
      return std::vector<Event>{{7, 1, "main", "started", "hello"}};
    };
    port.command = [this](const CommandRequest& request,
                          const std::function<void(CommandResult)>& reply) {
      commands.push_back(request.command);
      lsn = request.lsn;
      last = request;
      reply(result);
    };
    return port;
  }
};

Response ask(FakeDaemon& daemon, Access access, const std::string& method,
             const std::string& target) {
  std::vector<Response> replies;
  route(daemon.port(), access, {method, target},
        [&](Response response) { replies.push_back(std::move(response)); });
  REQUIRE(replies.size() == 1);
  return replies[0];
}

int status_of(Access access, const std::string& method, const std::string& target) {
  FakeDaemon daemon;
  return ask(daemon, access, method, target).status;
}

}  // namespace

TEST_CASE("each path answers the methods that fit it, and on the network only reading") {
  struct Row {
    const char* method;
    const char* target;
    int read_only;
    int full;
  };
  const Row rows[] = {
      {"GET", "/metrics", 200, 200},
      {"HEAD", "/metrics", 200, 200},
      {"POST", "/metrics", 405, 405},
      {"DELETE", "/metrics", 405, 405},
      {"GET", "/healthz", 200, 200},
      {"GET", "/healthz?verbose", 200, 200},
      {"PUT", "/healthz", 405, 405},
      {"GET", "/readyz", 200, 200},
      {"POST", "/readyz", 405, 405},
      {"GET", "/api/v1/status", 200, 200},
      {"POST", "/api/v1/status", 405, 405},
      {"GET", "/primary", 200, 200},
      {"GET", "/api/v1/events", 404, 200},
      {"POST", "/api/v1/events", 404, 405},
      {"POST", "/api/v1/pause", 404, 200},
      {"GET", "/api/v1/pause", 404, 405},
      {"HEAD", "/api/v1/pause", 404, 405},
      {"post", "/api/v1/pause", 404, 405},
      {"POST", "/api/v1/resume", 404, 200},
      {"POST", "/api/v1/mark", 404, 200},
      {"GET", "/api/v1/cutover", 200, 200},
      {"POST", "/api/v1/cutover", 405, 200},
      {"POST", "/api/v1/rollback", 404, 200},
      {"POST", "/api/v1/hook", 404, 200},
      {"POST", "/api/v1/finalize", 404, 200},
      {"POST", "/api/v1/finalize/", 404, 404},
      {"POST", "/api/v1/stop", 404, 404},
      {"GET", "/metrics/", 404, 404},
      {"GET", "/Metrics", 404, 404},
      {"GET", "//metrics", 404, 404},
      {"GET", "/api/v1/../../metrics", 404, 404},
      {"GET", "", 404, 404},
      {"GET", "?", 404, 404},
      {"GET", "metrics", 404, 404},
  };
  for (const Row& row : rows) {
    CAPTURE(row.method);
    CAPTURE(row.target);
    CHECK(status_of(Access::read_only, row.method, row.target) == row.read_only);
    CHECK(status_of(Access::full, row.method, row.target) == row.full);
  }
}

TEST_CASE("what is read is what the daemon has published") {
  FakeDaemon daemon;
  struct Row {
    const char* target;
    std::string body;
    const char* content_type;
  };
  const Row rows[] = {
      {"/metrics", "repld_info 1\n", "text/plain; version=0.0.4; charset=utf-8"},
      {"/healthz", R"({"alive":true})", "application/json"},
      {"/readyz", R"({"ready":true,"reasons":[]})", "application/json"},
      {"/api/v1/status", status_json(daemon.status), "application/json"},
      {"/primary", *primary_json(daemon.status), "application/json"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    const Response response = ask(daemon, Access::read_only, "GET", row.target);
    CHECK(response.body == row.body);
    CHECK(response.content_type == row.content_type);
  }
}

TEST_CASE("who asks for the primary before it is known is told no side") {
  FakeDaemon daemon;
  daemon.status.groups[1].primary = "unknown";
  const Response response = ask(daemon, Access::read_only, "GET", "/primary");
  CHECK(response.status == 503);
  CHECK(Json::parse(response.body).contains("error"));
}

TEST_CASE("a refusal is JSON and repeats nothing of the request") {
  FakeDaemon daemon;
  for (const char* target : {"/secret<script>", "/api/v1/events?after=secret<script>"}) {
    const Response response = ask(daemon, Access::full, "GET", target);
    CHECK(Json::parse(response.body).at("error").is_string());
    CHECK(response.content_type == "application/json");
    CHECK(response.body.find("secret") == std::string::npos);
  }
}

TEST_CASE("readiness is asked for with the lag that is allowed, 5 seconds if none is said") {
  struct Row {
    const char* target;
    double lag_seconds;
    int status;
  };
  const Row rows[] = {
      {"/readyz", 5, 200},
      {"/readyz", 5.1, 503},
      {"/readyz?", 5.1, 503},
      {"/readyz?max_lag=", 5, 200},
      {"/readyz?max_lag=10s", 9, 200},
      {"/readyz?max_lag=10", 11, 503},
      {"/readyz?max_lag=0.5s", 0.4, 200},
      {"/readyz?max_lag=0", 0.1, 503},
      {"/readyz?xmax_lag=10", 9, 503},
      {"/readyz?a=b&max_lag=10", 9, 200},
      {"/readyz?max_lag=10&max_lag=1", 9, 200},
      {"/readyz?max_lag", 9, 503},
      {"/readyz?max_lag=-1", 0, 400},
      {"/readyz?max_lag=s", 0, 400},
      {"/readyz?max_lag=10ms", 0, 400},
      {"/readyz?max_lag=five", 0, 400},
      {"/readyz?max_lag=nan", 0, 400},
      {"/readyz?max_lag=inf", 0, 400},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    CAPTURE(row.lag_seconds);
    FakeDaemon daemon;
    daemon.status.links[0].lag_seconds = row.lag_seconds;
    CHECK(ask(daemon, Access::read_only, "GET", row.target).status == row.status);
  }
}

TEST_CASE("a daemon that is not ready says why") {
  FakeDaemon daemon;
  daemon.status.links[0].state = LinkState::copying;
  const Response response = ask(daemon, Access::read_only, "GET", "/readyz");
  CHECK(response.status == 503);
  CHECK(response.body == R"({"ready":false,"reasons":["link main is copying"]})");
}

TEST_CASE("a reason that is no UTF-8 is told all the same") {
  FakeDaemon daemon;
  daemon.status.links[0].state = LinkState::paused;
  daemon.status.links[0].error = sample_error();
  daemon.status.links[0].error->table = "public.caf\xE9";
  const Response response = ask(daemon, Access::read_only, "GET", "/readyz");
  CHECK(response.status == 503);
  CHECK(Json::accept(response.body));
}

TEST_CASE("events are asked for after one and up to a number") {
  struct Row {
    const char* target;
    int64_t after;
    size_t limit;
  };
  const Row rows[] = {
      {"/api/v1/events", 0, 1000},
      {"/api/v1/events?after=7", 7, 1000},
      {"/api/v1/events?limit=5&after=9007199254740993", 9'007'199'254'740'993, 5},
      {"/api/v1/events?limit=0", 0, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    FakeDaemon daemon;
    const Response response = ask(daemon, Access::full, "GET", row.target);
    CHECK(response.status == 200);
    CHECK(response.body == events_json({{7, 1, "main", "started", "hello"}}));
    CHECK(daemon.after == row.after);
    CHECK(daemon.limit == row.limit);
  }
  const char* wrong[] = {"after=-1",
                         "after=x",
                         "after=1.5",
                         "limit=-1",
                         "limit=x",
                         "limit=1x",
                         "after=99999999999999999999"};
  for (const char* query : wrong) {
    CAPTURE(query);
    FakeDaemon daemon;
    CHECK(ask(daemon, Access::full, "GET", std::string("/api/v1/events?") + query).status == 400);
    CHECK(daemon.after == -1);
  }
}

TEST_CASE("a command reaches the daemon once and its answer is passed on") {
  struct Row {
    const char* target;
    Command command;
  };
  const Row rows[] = {
      {"/api/v1/pause", Command::pause},
      {"/api/v1/resume", Command::resume},
      {"/api/v1/mark?x=1", Command::mark},
      {"/api/v1/skip?lsn=16/B374D848", Command::skip},
      {"/api/v1/finalize", Command::finalize},
      {"/api/v1/finalize?source_gone=false", Command::finalize},
      {"/api/v1/finalize?source_gone=true", Command::finalize_source_gone},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    FakeDaemon daemon;
    daemon.result = {409, R"({"error":"not now"})"};
    const Response response = ask(daemon, Access::full, "POST", row.target);
    CHECK(daemon.commands == std::vector<Command>{row.command});
    CHECK(response.status == 409);
    CHECK(response.body == R"({"error":"not now"})");
  }
}

TEST_CASE("no command reaches the daemon by another method or over the network") {
  FakeDaemon daemon;
  for (const char* path : {"pause", "resume", "mark", "skip?lsn=0/1", "finalize", "arm"}) {
    const std::string target = std::string("/api/v1/") + path;
    ask(daemon, Access::read_only, "POST", target);
    ask(daemon, Access::full, "GET", target);
    ask(daemon, Access::full, "DELETE", target);
  }
  CHECK(daemon.commands.empty());
}

TEST_CASE("a transaction to skip is named by a position, and nothing is skipped without") {
  FakeDaemon daemon;
  CHECK(ask(daemon, Access::full, "POST", "/api/v1/skip?lsn=16/B374D848").status == 200);
  CHECK(daemon.lsn == Lsn{0x16'B374'D848});
  for (const char* query : {"", "?lsn=", "?lsn=12", "?lsn=0/x", "?LSN=0/1"}) {
    CAPTURE(query);
    FakeDaemon untouched;
    CHECK(ask(untouched, Access::full, "POST", std::string("/api/v1/skip") + query).status == 400);
    CHECK(untouched.commands.empty());
  }
}

TEST_CASE("a cutover is asked for with what it may do") {
  FakeDaemon daemon;
  std::vector<int> statuses;
  const auto ask_for = [&](const std::string& body) {
    route(daemon.port(), Access::full, {"POST", "/api/v1/cutover", body},
          [&](const Response& response) { statuses.push_back(response.status); });
  };
  ask_for(R"({"group":"clients","dry_run":true,"max_freeze_ms":700,"without_reverse":true})");
  CHECK(daemon.last.command == Command::cutover);
  CHECK(daemon.last.group == "clients");
  CHECK(daemon.last.rehearsed);
  CHECK(daemon.last.without_reverse);
  CHECK(daemon.last.max_freeze_ms == 700);
  ask_for("");
  CHECK(daemon.last.group == "all");
  CHECK_FALSE(daemon.last.rehearsed);
  ask_for(R"({"max_freeze_ms":-1})");
  ask_for(R"({"group":7})");
  CHECK(statuses == std::vector<int>{200, 200, 400, 400});
}
