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
       "alter system set wal_level = 'logical';\nselect 1;", "admin", "Restart.", "Sessions end."},
      {Severity::warning, "index", Side::target, "index a is missing", "", "", "", ""}};
  report.latencies = {{Side::source, timing_of({0.5}), timing_of({3, 1, 2})}};
  report.places = {{Side::source, "db port 5432, database d, as us"}};
  report.sizes = {{{"public", "a"}, 7, 0}};
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
  CHECK(text.find("             select 1;\n           what that does: Sessions end.\n") !=
        std::string::npos);
  CHECK(text.find("as one group: public.a, public.b\n") != std::string::npos);
  CHECK(text.find("source (db port 5432, database d, as us)\n") == 0);
  CHECK(text.find("what that does") < text.find("Restart."));
  CHECK(text.find("public.c") == std::string::npos);
  CHECK(text.find("not ready: 1 error, 1 warning\nMend the errors") != std::string::npos);
  CHECK(cli::render_report(sample_report(), true).find("\x1b[31mERROR") != std::string::npos);
}

TEST_CASE("a report as JSON has every part") {
  const auto json = nlohmann::json::parse(report_json(sample_report()));
  CHECK(json["ready"] == false);
  CHECK(json["servers"]["source"] == "db port 5432, database d, as us");
  CHECK(json["findings"].size() == 3);
  CHECK(json["findings"][1]["role"] == "admin");
  CHECK(json["findings"][1]["effect"] == "Sessions end.");
  CHECK(json["latency"]["source"]["round_trip_p50_ms"] == 0.5);
  CHECK(json["sizes"]["public.a"]["source_bytes"] == 7);
  CHECK(json["latency"]["source"]["p50_ms"] == 2);
  CHECK(json["latency"]["source"]["p99_ms"] == 3);
  CHECK(json["closed_groups"].size() == 2);
  CHECK(nlohmann::json::parse(report_json(Report()))["ready"] == true);
}
