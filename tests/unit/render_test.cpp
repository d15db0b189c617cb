#include "cli/render.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "sample_status.h"

using namespace repld;
using namespace repld::cli;
using namespace repld::testing;
using Json = nlohmann::json;

namespace {

Json json_of(const Status& status) { return Json::parse(status_json(status)); }

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Every combination of states, with and without an error, a slot and a limit.
std::vector<Status> many() {
  std::vector<Status> all = {Status()};
  for (const LinkState state : kLinkStates) {
    for (const TableState table : kTableStates) {
      for (const bool bare : {false, true}) {
        Status status = sample_status();
        LinkStatus& link = status.links[0];
        link.state = state;
        link.tables[0].state = table;
        link.paused_by_operator = bare;
        if (bare) {
          link.slot = SlotStatus();
          link.tables[0].bytes_total = 0;
        } else {
          link.error = sample_error();
        }
        all.push_back(status);
      }
    }
  }
  return all;
}

}  // namespace

TEST_CASE("every state can be shown, in colour only when asked") {
  for (const Status& status : many()) {
    const Json json = json_of(status);
    const std::string plain = render_status(json, false);
    const std::string coloured = render_status(json, true);
    CHECK(mentions(plain, "repld " + status.version + ", http on " + status.http_listen + "\n"));
    CHECK_FALSE(mentions(plain, "\x1b"));
    CHECK(mentions(coloured, "\x1b[") == !status.links.empty());
    CHECK_FALSE(mentions(render_tables(json), "\x1b"));
    if (!status.links.empty()) {
      const std::string state = to_string(status.links[0].state);
      CHECK(mentions(plain, "link main: " + state));
      CHECK(mentions(render_tables(json), to_string(status.links[0].tables[0].state)));
    }
  }
}

TEST_CASE("a link is shown with its servers, lag, positions and slot") {
  Status status = sample_status();
  status.links[0].target_up = false;
  CHECK(render_status(json_of(status), false) ==
        "link main: streaming\n"
        "  servers   source up, target away\n"
        "  lag       1.5 s, 48 B\n"
        "  position  received 5/40, applied 5/30, durable 5/20, confirmed 5/10\n"
        "  applied   7 transactions, 21 rows since the daemon started\n"
        "  slot      repld_main reserved, keeps 5.0 MB, 9.0 MB until it is lost\n"
        "  rogue     4 changes of a replica by somebody else, not applied\n"
        "group salon: written on the source\n"
        "group rest: written on the target\n"
        "repld 1.2.3, http on 127.0.0.1:9847\n");
}

TEST_CASE("an error is shown with its detail and hint, where it has them") {
  Status status = sample_status();
  status.links[0].state = LinkState::paused;
  status.links[0].error = sample_error();
  const std::string text = render_status(json_of(status), false);
  CHECK(mentions(text,
                 "  error     the target refused a row\n"
                 "  detail    in a batch of 3\n"
                 "  hint      Look at it.\n"));
  status.links[0].error->detail.clear();
  status.links[0].error->hint.clear();
  CHECK_FALSE(mentions(render_status(json_of(status), false), "detail"));
  CHECK_FALSE(mentions(render_status(json_of(status), false), "hint"));
}

TEST_CASE("a slot without a limit is not said to be lost some day") {
  Status status = sample_status();
  status.links[0].slot.safe_bytes.reset();
  CHECK(mentions(render_status(json_of(status), false), "keeps 5.0 MB\n"));
}

TEST_CASE("a copy is shown as a bar that never leaves its frame") {
  struct Row {
    int64_t copied;
    int64_t total;
    const char* bar;
  };
  const Row rows[] = {
      {0, 0, "[..............................]   0 %"},
      {0, 4'000, "[..............................]   0 %"},
      {1'000, 4'000, "[########......................]  25 %"},
      {4'000, 4'000, "[##############################] 100 %"},
      {9'000, 4'000, "[##############################] 100 %"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.copied);
    Status status = sample_status();
    status.links[0].state = LinkState::copying;
    status.links[0].tables[0].bytes_copied = row.copied;
    status.links[0].tables[0].bytes_total = row.total;
    const std::string text = render_status(json_of(status), false);
    CHECK(mentions(text, std::string("  copy      ") + row.bar + "  0 of 1 tables, 40 rows, "));
  }
}

TEST_CASE("tables are shown in columns as wide as the longest name") {
  Status status = sample_status();
  TableStatus other = sample_table();
  other.name = "a_table_with_a_long_name";
  other.state = TableState::refused;
  other.rows_copied = 1'234'567'890'123;
  status.links[0].tables.push_back(other);
  status.links[0].tables[0].proof = ProofStatus{status.at - 90, 40, 40, 0, 0, 0};
  status.links[0].tables[1].unexpected_rows = 2;
  status.links[0].tables[1].proof = ProofStatus{status.at - 10'000, 40, 39, 2, 1, 4};
  CHECK(render_tables(json_of(status)) ==
        "table                            state      rows copied       bytes     drift  "
        "last proof                group\n"
        "public.clients                   copying             40      1.0 kB         3  "
        "equal, 90 s ago           salon\n"
        "public.a_table_with_a_long_name  refused   1234567890123      1.0 kB         5  "
        "7 rows differ, 2 h ago    salon\n");
  status.links[0].tables = {sample_table()};
  CHECK(mentions(render_tables(json_of(status)), "  none  "));
}

TEST_CASE("a size is shown in the unit that fits it") {
  struct Row {
    int64_t bytes;
    const char* text;
  };
  const Row rows[] = {
      {0, "0 B"},
      {-5, "-5 B"},
      {999, "999 B"},
      {1'000, "1.0 kB"},
      {3'400'000, "3.4 MB"},
      {3'400'000'000, "3.4 GB"},
      {5'000'000'000'000, "5.0 TB"},
      {INT64_MAX, "9223372.0 TB"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    CHECK(bytes_text(row.bytes) == row.text);
  }
}

TEST_CASE("an event is one line with its time, kind and message") {
  const Json event = {{"id", 1},
                      {"at", 1'700'000'000.5},
                      {"link", "main"},
                      {"kind", "paused"},
                      {"message", "by the operator"}};
  const std::string text = render_event(event);
  CHECK(text.size() == std::string("2023-11-14 22:13:20  paused      by the operator\n").size());
  CHECK(mentions(text, "  paused      by the operator\n"));
  CHECK(mentions(text, ":20  "));  // the rest depends on the time zone
}
