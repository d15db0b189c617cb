#include "cli/render_cutover.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace repld::cli {

namespace {

using Json = nlohmann::json;

std::string paint(const std::string& text, const char* code, bool colour) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string text_of(const Json& json, const char* key) { return json.at(key).get<std::string>(); }

std::string failure_lines(const Json& failure, const std::string& what, bool colour) {
  std::string text = fmt::format("{}: {}\n", paint(what, "31", colour), text_of(failure, "error"));
  for (const char* key : {"detail", "hint"}) {
    if (const std::string value = text_of(failure, key); !value.empty()) {
      text += fmt::format("  {}: {}\n", key, value);
    }
  }
  return text;
}

}  // namespace

size_t finished_steps(const Json& cutover) {
  const size_t steps = cutover.at("steps").size();
  return cutover.at("running").get<bool>() && steps > 0 ? steps - 1 : steps;
}

std::string render_steps(const Json& cutover, size_t from) {
  std::string text;
  const Json& steps = cutover.at("steps");
  for (size_t i = from; i < finished_steps(cutover); ++i) {
    const std::string came_of_it = text_of(steps[i], "text");
    text += fmt::format("  {:<12} {:>7.0f} ms{}{}\n", text_of(steps[i], "state"),
                        steps[i].at("seconds").get<double>() * 1e3, came_of_it.empty() ? "" : "  ",
                        came_of_it);
  }
  return text;
}

std::string render_cutover_findings(const Json& cutover, bool colour) {
  std::string text;
  for (const Json& finding : cutover.at("findings")) {
    const bool error = finding.at("severity") == "error";
    text += fmt::format("  {}  {}: {}\n",
                        paint(error ? "ERROR  " : "warning", error ? "31" : "33", colour),
                        text_of(finding, "side"), text_of(finding, "what"));
    for (const char* key : {"why", "action"}) {
      if (const std::string value = text_of(finding, key); !value.empty()) {
        text += fmt::format("           {}\n", value);
      }
    }
  }
  return text;
}

std::string render_rehearsal(const Json& cutover, bool colour) {
  std::string text = render_cutover_findings(cutover, colour);
  if (!cutover.at("failure").is_null()) {
    return text + failure_lines(cutover.at("failure"), "not possible now", colour);
  }
  int number = 1;
  for (const Json& step : cutover.at("plan")) {
    text += fmt::format("  {:>2}. {}\n", number++, step.get<std::string>());
  }
  return text + "Nothing was changed.\n";
}

std::string render_outcome(const Json& cutover, bool colour) {
  const std::string group = text_of(cutover, "group");
  if (text_of(cutover, "state") != "completed") {
    return failure_lines(cutover.at("failure"), "withdrawn, nothing has moved", colour);
  }
  std::string text = fmt::format("{}: group {} is written on the {}", paint("done", "32", colour),
                                 group, text_of(cutover, "to"));
  if (const Json& freeze = cutover.at("freeze_seconds"); !freeze.is_null()) {
    text += fmt::format("; writers waited {:.0f} ms", freeze.get<double>() * 1e3);
  }
  return text + "\n";
}

}  // namespace repld::cli
