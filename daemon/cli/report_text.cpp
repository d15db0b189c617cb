#include "cli/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace repld::cli {

namespace {

constexpr const char* kIndent = "           ";

std::string paint(const std::string& text, const char* code, bool colour) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string label(Severity severity, bool colour) {
  switch (severity) {
    case Severity::error: return paint("ERROR  ", "31", colour);
    case Severity::warning: return paint("warning", "33", colour);
    case Severity::ok: return paint("ok     ", "32", colour);
  }
  return {};
}

std::string render(const Finding& finding, bool colour) {
  std::string text = fmt::format("  {}  {}\n", label(finding.severity, colour), finding.what);
  if (!finding.why.empty()) {
    text += kIndent + finding.why + "\n";
  }
  if (!finding.action.empty()) {
    text += kIndent + finding.action + "\n";
  }
  if (!finding.sql.empty()) {
    text += fmt::format("{}on the {}, as {}:\n", kIndent, to_string(finding.side), finding.role);
    std::istringstream lines(finding.sql);
    for (std::string line; std::getline(lines, line);) {
      text += std::string(kIndent) + "  " + line + "\n";
    }
  }
  return text;
}

std::string render_side(const Report& report, Side side, bool colour) {
  std::string text = fmt::format("{}\n", to_string(side));
  for (const Severity severity : {Severity::error, Severity::warning, Severity::ok}) {
    for (const Finding& finding : report.findings) {
      if (finding.side == side && finding.severity == severity) {
        text += render(finding, colour);
      }
    }
  }
  for (const Latency& latency : report.latencies) {
    if (latency.side == side) {
      text += fmt::format("  {}  a query takes {:.2f} ms, 99 of 100 below {:.2f} ms\n",
                          label(Severity::ok, colour), latency.p50_ms, latency.p99_ms);
    }
  }
  return text;
}

size_t count(const Report& report, Severity severity) {
  return static_cast<size_t>(
      std::count_if(report.findings.begin(), report.findings.end(),
                    [&](const Finding& finding) { return finding.severity == severity; }));
}

}  // namespace

std::string render_report(const Report& report, bool colour) {
  std::string text = render_side(report, Side::source, colour) + "\n" +
                     render_side(report, Side::target, colour) + "\n";
  for (const auto& group : report.closed_groups) {
    if (group.size() > 1) {
      text += fmt::format("foreign keys hold together: {}\n", fmt::join(group, ", "));
    }
  }
  if (!report.ddl.empty()) {
    text += "replctl doctor --ddl prints all SQL for the target as one transaction, for psql.\n";
  }
  const size_t errors = count(report, Severity::error);
  text += fmt::format("{}: {} errors, {} warnings\n",
                      errors == 0 ? paint("ready", "32", colour) : paint("not ready", "31", colour),
                      errors, count(report, Severity::warning));
  return text;
}

}  // namespace repld::cli
