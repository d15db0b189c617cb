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
  if (!finding.sql.empty()) {
    text += fmt::format("{}on the {}, as {}:\n", kIndent, to_string(finding.side), finding.role);
    std::istringstream lines(finding.sql);
    for (std::string line; std::getline(lines, line);) {
      text += std::string(kIndent) + "  " + line + "\n";
    }
    if (!finding.effect.empty()) {
      text += kIndent + ("what that does: " + finding.effect) + "\n";
    }
  }
  if (!finding.action.empty()) {
    text += kIndent + finding.action + "\n";
  }
  return text;
}

std::string render_side(const Report& report, Side side, bool colour) {
  std::string text = to_string(side);
  for (const Place& place : report.places) {
    if (place.side == side) {
      text += " (" + place.text + ")";
    }
  }
  text += "\n";
  for (const Severity severity : {Severity::error, Severity::warning, Severity::ok}) {
    for (const Finding& finding : report.findings) {
      if (finding.side == side && finding.severity == severity) {
        text += render(finding, colour);
      }
    }
  }
  return text;
}

size_t count(const Report& report, Severity severity) {
  return static_cast<size_t>(
      std::count_if(report.findings.begin(), report.findings.end(),
                    [&](const Finding& finding) { return finding.severity == severity; }));
}

std::string counted(size_t number, const char* thing) {
  return fmt::format("{} {}{}", number, thing, number == 1 ? "" : "s");
}

}  // namespace

std::string render_report(const Report& report, bool colour) {
  std::string text = render_side(report, Side::source, colour) + "\n" +
                     render_side(report, Side::target, colour) + "\n";
  for (const auto& group : report.closed_groups) {
    if (group.size() > 1) {
      text += fmt::format("foreign keys hold together, so move as one group: {}\n",
                          fmt::join(group, ", "));
    }
  }
  if (!report.ddl.empty()) {
    text += "replctl doctor --ddl prints all SQL for the target as one transaction, for psql.\n";
  }
  const size_t errors = count(report, Severity::error);
  text += fmt::format(
      "{}: {}, {}\n", errors == 0 ? paint("ready", "32", colour) : paint("not ready", "31", colour),
      counted(errors, "error"), counted(count(report, Severity::warning), "warning"));
  text += errors == 0
              ? "Nothing stands in the way of replicating; read the warnings before a cutover.\n"
              : "Mend the errors and run doctor again; the warnings matter before a cutover.\n";
  return text;
}

}  // namespace repld::cli
