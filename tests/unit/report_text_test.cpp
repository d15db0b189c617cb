#include "cli/report_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace repld;

namespace {

Report sample_report() {
  Report report;
  report.findings = {
      {Severity::ok, "version", Side::source, "PostgreSQL 17.5", "", "", "", ""},
      {Severity::error, "wal_level", Side::source, "wal_level is replica", "No decoding.",
       "alter system set wal_level = 'logical';\nselect 1;", "admin", "Restart."},
      {Severity::warning, "index", Side::target, "index a is missing", "", "", "", ""}};
  report.latencies = {latency_of(Side::source, {3, 1, 2})};
  report.closed_groups = {{"public.a", "public.b"}, {"public.c"}};
  report.ddl = "begin;\ncommit;\n";
  return report;
}

}  // namespace

TEST_CASE("a report shows errors first, who runs the SQL where, and colour only when asked") {
  const std::string text = cli::render_report(sample_report(), false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("ERROR    wal_level") < text.find("ok       PostgreSQL"));
  CHECK(text.find("on the source, as admin:\n             alter system") != std::string::npos);
  CHECK(text.find("hold together: public.a, public.b\n") != std::string::npos);
  CHECK(text.find("public.c") == std::string::npos);
  CHECK(text.find("not ready: 1 errors, 1 warnings\n") != std::string::npos);
  CHECK(cli::render_report(sample_report(), true).find("\x1b[31mERROR") != std::string::npos);
}

TEST_CASE("a report as JSON has every part") {
  const auto json = nlohmann::json::parse(report_json(sample_report()));
  CHECK(json["ready"] == false);
  CHECK(json["findings"].size() == 3);
  CHECK(json["findings"][1]["role"] == "admin");
  CHECK(json["latency"]["source"]["p50_ms"] == 2);
  CHECK(json["latency"]["source"]["p99_ms"] == 3);
  CHECK(json["closed_groups"].size() == 2);
  CHECK(nlohmann::json::parse(report_json(Report()))["ready"] == true);
}
