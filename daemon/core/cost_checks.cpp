#include "core/cost_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/server_checks.h"
#include "core/sql_text.h"

namespace repld {

namespace {

constexpr double kFarMs = 100;
constexpr double kBusyMs = 20;
constexpr size_t kLargestNamed = 3;

std::string bytes_text(int64_t bytes) {
  static constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return value < 10 ? fmt::format("{:.1f} {}", value, kUnits[unit])
                    : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

int64_t largest_of(const std::vector<TableSize>& sizes) {
  int64_t largest = 0;
  for (const TableSize& size : sizes) {
    largest = std::max(largest, size.source_bytes);
  }
  return largest;
}

std::string largest_names(std::vector<TableSize> sizes) {
  std::sort(sizes.begin(), sizes.end(), [](const TableSize& left, const TableSize& right) {
    return left.source_bytes > right.source_bytes;
  });
  sizes.resize(std::min(sizes.size(), kLargestNamed));
  std::string text;
  for (const TableSize& size : sizes) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", size.table.full(),
                        bytes_text(size.source_bytes));
  }
  return text;
}

}  // namespace

Finding check_latency(const Latency& latency) {
  const Timing& way = latency.round_trip;
  Finding finding =
      finding_of(Severity::ok, "latency", latency.side,
                 fmt::format("a round trip takes {:.2f} ms (99 of 100 below {:.2f}), a small query "
                             "{:.2f} ms (below {:.2f})",
                             way.p50_ms, way.p99_ms, latency.query.p50_ms, latency.query.p99_ms));
  if (way.p50_ms > kFarMs) {
    finding.severity = Severity::warning;
    finding.why =
        "Changes stream all the same, but each step of a set-up, a proof and a cutover waits for "
        "the way there and back.";
    finding.action = "Run repld nearer to this server; best beside the target.";
  } else if (latency.query.p50_ms - way.p50_ms > kBusyMs) {
    finding.severity = Severity::warning;
    finding.why =
        "The query needs much longer than the way: this server is short of CPU, or something "
        "between it and us holds queries up.";
    finding.action = "Look at its load before the first copy adds to it.";
  }
  return finding;
}

std::vector<Finding> check_sizes(const std::vector<TableSize>& sizes,
                                 const DatabaseSizes& databases) {
  int64_t source = 0;
  int64_t missing = 0;
  for (const TableSize& size : sizes) {
    source += size.source_bytes;
    missing += std::max<int64_t>(size.source_bytes - size.target_bytes, 0);
  }
  std::vector<Finding> findings;
  findings.push_back(
      finding_of(Severity::ok, "size", Side::source,
                 fmt::format("the tables take {} with their indexes, the whole database {}",
                             bytes_text(source), bytes_text(databases.source_bytes)),
                 sizes.empty() ? "" : fmt::format("The largest: {}.", largest_names(sizes))));
  Finding& finding = findings.emplace_back(finding_of(
      Severity::ok, "size", Side::target,
      fmt::format("up to {} more disk is needed for the tables; the database takes {} now",
                  bytes_text(missing), bytes_text(databases.target_bytes)),
      "The first copy writes as much WAL besides, which the server removes again."));
  finding.action = "Compare with the free space in the provider's panel, which SQL does not show.";
  return findings;
}

std::vector<Finding> check_temp_files(const std::vector<TableSize>& sizes,
                                      const ServerFacts& facts) {
  const std::string setting = facts.setting("temp_file_limit");
  const int64_t limit = facts.number("temp_file_limit") * 1024;
  const int64_t largest = largest_of(sizes);
  if (setting.empty() || limit < 0 || limit >= largest) {
    return {};
  }
  Finding finding = finding_of(Severity::warning, "temp_files", facts.side,
                               fmt::format("temp_file_limit is {}, the largest table {}",
                                           bytes_text(limit), bytes_text(largest)),
                               facts.side == Side::target
                                   ? "Building its indexes, and checking its foreign keys when "
                                     "they come back, may need more "
                                     "and would be refused (53400)."
                                   : "Comparing it may need more and would be refused (53400).");
  finding.sql =
      fmt::format("alter role {} set temp_file_limit = -1;", quote_identifier(facts.role.name));
  finding.role = facts.superuser();
  finding.effect = fmt::format(
      "Later sessions of {} may fill the server's disk with temporary files; others are not "
      "touched.",
      facts.role.name);
  finding.action = "On a managed server ask the provider, or raise it in the panel.";
  return {finding};
}

}  // namespace repld
