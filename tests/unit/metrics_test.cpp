#include "base/metrics.h"

#include <doctest/doctest.h>

#include <sstream>

#include "sample_status.h"

using namespace repld;
using namespace repld::testing;

namespace {

bool has_line(const std::string& text, const std::string& wanted) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line == wanted) {
      return true;
    }
  }
  return false;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string text_of(const Status& status) {
  Metrics metrics("main");
  metrics.set_from(status);
  return metrics.text();
}

}  // namespace

TEST_CASE("every metric is there once what it measures has happened") {
  Metrics metrics("main");
  metrics.rows_applied("public.clients", 1, 1, 1);
  metrics.batch_applied(1, 3, 0.01);
  metrics.rows_drifted("public.clients", 1, 0);
  metrics.rogue_changes("public.clients", 1);
  metrics.bytes_copied("public.clients", 1);
  metrics.failed(Error(ErrorKind::connect, "gone"));
  metrics.reconnected(Side::source);
  metrics.set_from(sample_status());
  const std::string text = metrics.text();
  const char* gauges[] = {"repld_info",
                          "repld_link_up",
                          "repld_link_state",
                          "repld_lag_bytes",
                          "repld_lag_seconds",
                          "repld_received_lsn_bytes",
                          "repld_applied_lsn_bytes",
                          "repld_durable_lsn_bytes",
                          "repld_slot_retained_bytes",
                          "repld_slot_safe_bytes",
                          "repld_slot_status",
                          "repld_table_copied_rows",
                          "repld_copy_remaining_bytes",
                          "repld_primary"};
  const char* counters[] = {"repld_applied_transactions_total", "repld_applied_rows_total",
                            "repld_missing_rows_total",         "repld_copy_bytes_total",
                            "repld_reconnects_total",           "repld_errors_total"};
  const char* histograms[] = {"repld_apply_batch_rows", "repld_apply_batch_seconds"};
  for (const char* name : gauges) {
    CAPTURE(name);
    CHECK(mentions(text, std::string("# HELP ") + name + " "));
    CHECK(has_line(text, std::string("# TYPE ") + name + " gauge"));
  }
  for (const char* name : counters) {
    CAPTURE(name);
    CHECK(mentions(text, std::string("# HELP ") + name + " "));
    CHECK(has_line(text, std::string("# TYPE ") + name + " counter"));
  }
  for (const char* name : histograms) {
    CAPTURE(name);
    CHECK(mentions(text, std::string("# HELP ") + name + " "));
    CHECK(has_line(text, std::string("# TYPE ") + name + " histogram"));
  }
}

TEST_CASE("gauges show the status as it was set last") {
  Metrics metrics("main");
  Status status = sample_status();
  status.links[0].lag_seconds = 99;
  metrics.set_from(status);
  status.links[0].lag_seconds = 1.5;
  metrics.set_from(status);
  const std::string text = metrics.text();
  const char* lines[] = {
      R"(repld_info{version="1.2.3"} 1)",
      R"(repld_link_up{link="main"} 1)",
      R"(repld_lag_bytes{link="main"} 48)",
      R"(repld_lag_seconds{link="main"} 1.5)",
      R"(repld_received_lsn_bytes{link="main"} 21474836544)",
      R"(repld_applied_lsn_bytes{link="main"} 21474836528)",
      R"(repld_durable_lsn_bytes{link="main"} 21474836512)",
      R"(repld_slot_retained_bytes{link="main"} 5000000)",
      R"(repld_slot_safe_bytes{link="main"} 9000000)",
      R"(repld_table_copied_rows{table="public.clients"} 40)",
      R"(repld_copy_remaining_bytes{table="public.clients"} 3000)",
      R"(repld_primary{group="salon",side="source"} 1)",
      R"(repld_primary{group="salon",side="target"} 0)",
      R"(repld_primary{group="rest",side="source"} 0)",
      R"(repld_primary{group="rest",side="target"} 1)",
  };
  for (const char* line : lines) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
}

TEST_CASE("exactly the state a link is in is 1") {
  for (const LinkState state : kLinkStates) {
    Status status = sample_status();
    status.links[0].state = state;
    const std::string text = text_of(status);
    for (const LinkState other : kLinkStates) {
      CAPTURE(to_string(other));
      CHECK(has_line(text, std::string("repld_link_state{link=\"main\",state=\"") +
                               to_string(other) + "\"} " + (state == other ? "1" : "0")));
    }
    CHECK(has_line(text, std::string("repld_link_up{link=\"main\"} ") +
                             (state == LinkState::streaming ? "1" : "0")));
  }
}

TEST_CASE("exactly the status of the slot is 1, and a slot that is gone is missing") {
  const char* known[] = {"reserved", "extended", "unreserved", "lost", "missing"};
  for (const char* wal_status : known) {
    CAPTURE(wal_status);
    Status status = sample_status();
    status.links[0].slot.exists = wal_status != std::string("missing");
    status.links[0].slot.wal_status = status.links[0].slot.exists ? wal_status : "reserved";
    const std::string text = text_of(status);
    for (const char* other : known) {
      CAPTURE(other);
      CHECK(has_line(text, std::string("repld_slot_status{link=\"main\",status=\"") + other +
                               "\"} " + (std::string(other) == wal_status ? "1" : "0")));
    }
  }
}

TEST_CASE("a slot without a limit has no safe bytes, rather than a number that would alert") {
  Status status = sample_status();
  status.links[0].slot.safe_bytes.reset();
  CHECK_FALSE(mentions(text_of(status), "repld_slot_safe_bytes{"));

  Metrics metrics("main");
  metrics.set_from(sample_status());
  REQUIRE(mentions(metrics.text(), "repld_slot_safe_bytes{"));
  metrics.set_from(status);
  CHECK_FALSE(mentions(metrics.text(), "repld_slot_safe_bytes{"));
}

TEST_CASE("nothing is left to copy of a table that is not being copied or outgrew its estimate") {
  Status status = sample_status();
  status.links[0].tables[0].bytes_copied = 5'000;
  const char* none = R"(repld_copy_remaining_bytes{table="public.clients"} 0)";
  CHECK(has_line(text_of(status), none));
  status.links[0].tables[0].bytes_copied = 0;
  status.links[0].tables[0].state = TableState::copied;
  CHECK(has_line(text_of(status), none));
}

TEST_CASE("counters add up, each under its labels") {
  Metrics metrics("main");
  metrics.rows_applied("public.clients", 2, 0, 1);
  metrics.rows_applied("public.clients", 3, 0, 0);
  metrics.batch_applied(2, 6, 0.01);
  metrics.batch_applied(1, 0, 0.01);
  metrics.rows_drifted("public.clients", 4, 0);
  metrics.bytes_copied("public.clients", 10);
  metrics.bytes_copied("public.clients", 5);
  metrics.failed(Error(ErrorKind::conflict, "no"));
  metrics.reconnected(Side::target);
  metrics.reconnected(Side::target);
  const std::string text = metrics.text();
  const char* lines[] = {
      R"(repld_applied_rows_total{link="main",op="insert",table="public.clients"} 5)",
      R"(repld_applied_rows_total{link="main",op="delete",table="public.clients"} 1)",
      R"(repld_applied_transactions_total{link="main"} 3)",
      R"(repld_missing_rows_total{link="main",table="public.clients"} 4)",
      R"(repld_copy_bytes_total{table="public.clients"} 15)",
      R"(repld_errors_total{kind="conflict"} 1)",
      R"(repld_reconnects_total{side="target"} 2)",
      R"(repld_apply_batch_rows_count{link="main"} 1)",
      R"(repld_apply_batch_rows_sum{link="main"} 6)",
  };
  for (const char* line : lines) {
    CAPTURE(line);
    CHECK(has_line(text, line));
  }
  CHECK_FALSE(mentions(text, "op=\"update\""));
}

TEST_CASE("a name in a label cannot end the label") {
  Metrics metrics("main");
  metrics.rows_drifted("public.a\"b\\c\nd", 1, 0);
  CHECK(has_line(metrics.text(),
                 R"(repld_missing_rows_total{link="main",table="public.a\"b\\c\nd"} 1)"));
}
