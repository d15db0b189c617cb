#include "core/finding.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace repld {

namespace {

using Json = nlohmann::ordered_json;

double percentile(const std::vector<double>& sorted, size_t percent) {
  return sorted.empty() ? 0 : sorted[std::min(sorted.size() - 1, sorted.size() * percent / 100)];
}

Json json_of(const Finding& finding) {
  return {{"severity", to_string(finding.severity)},
          {"check", finding.check},
          {"side", to_string(finding.side)},
          {"what", finding.what},
          {"why", finding.why},
          {"sql", finding.sql},
          {"role", finding.role},
          {"action", finding.action},
          {"effect", finding.effect}};
}

}  // namespace

const char* to_string(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::ok: return "ok";
  }
  return "error";
}

Timing timing_of(std::vector<double> samples_ms) {
  std::sort(samples_ms.begin(), samples_ms.end());
  return {percentile(samples_ms, 50), percentile(samples_ms, 99)};
}

bool has_error(const Report& report) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::error; });
}

std::string report_json(const Report& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) {
    findings.push_back(json_of(finding));
  }
  Json latency = Json::object();
  for (const Latency& side : report.latencies) {
    latency[to_string(side.side)] = {{"p50_ms", side.query.p50_ms},
                                     {"p99_ms", side.query.p99_ms},
                                     {"round_trip_p50_ms", side.round_trip.p50_ms},
                                     {"round_trip_p99_ms", side.round_trip.p99_ms}};
  }
  Json sizes = Json::object();
  for (const TableSize& size : report.sizes) {
    sizes[size.table.full()] = {{"source_bytes", size.source_bytes},
                                {"target_bytes", size.target_bytes}};
  }
  Json servers = Json::object();
  for (const Place& place : report.places) {
    servers[to_string(place.side)] = place.text;
  }
  const Json body = {{"ready", !has_error(report)},
                     {"servers", std::move(servers)},
                     {"findings", std::move(findings)},
                     {"latency", std::move(latency)},
                     {"sizes", std::move(sizes)},
                     {"closed_groups", report.closed_groups},
                     {"ddl", report.ddl}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace repld
