#include "cli/render.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/direction.h"

namespace repld::cli {

namespace {

using Json = nlohmann::json;

constexpr int kBarWidth = 30;

std::string paint(const std::string& text, const char* code, bool colour) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

const char* colour_of(const std::string& state) {
  if (state == "streaming") return "32";
  if (state == "paused" || state == "slot_lost") return "31";
  return "33";
}

std::string bar(double share) {
  const int full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kBarWidth));
  return fmt::format("[{}{}] {:3.0f} %", std::string(static_cast<size_t>(full), '#'),
                     std::string(static_cast<size_t>(kBarWidth - full), '.'), share * 100);
}

std::string copy_line(const Json& link) {
  double copied = 0;
  double total = 0;
  int64_t rows = 0;
  size_t done = 0;
  for (const Json& table : link["tables"]) {
    const auto bytes = table["bytes_copied"].get<double>();
    copied += bytes;
    total += std::max(bytes, table["bytes_total"].get<double>());
    rows += table["rows_copied"].get<int64_t>();
    done += table["state"] == "copied" ? 1U : 0U;
  }
  return fmt::format("  copy      {}  {} of {} tables, {} rows, {}\n",
                     bar(total > 0 ? copied / total : 0), done, link["tables"].size(), rows,
                     bytes_text(static_cast<int64_t>(copied)));
}

std::string error_lines(const Json& error, bool colour) {
  std::string text = fmt::format("  {}  {}\n", paint("error   ", "31", colour),
                                 error["message"].get<std::string>());
  for (const char* key : {"detail", "hint"}) {
    const auto value = error[key].get<std::string>();
    if (!value.empty()) {
      text += fmt::format("  {:8}  {}\n", key, value);
    }
  }
  return text;
}

std::string render_link(const Json& link, bool colour) {
  const auto state = link["state"].get<std::string>();
  const auto name = link["name"].get<std::string>();
  std::string text =
      fmt::format("link {}{}: {}{}\n", name, is_reverse(name) ? ", the way back" : "",
                  paint(state, colour_of(state), colour),
                  link["paused_by_operator"].get<bool>() ? " by the operator" : "");
  text += fmt::format("  servers   source {}, target {}\n",
                      link["source_up"].get<bool>() ? "up" : "away",
                      link["target_up"].get<bool>() ? "up" : "away");
  if (state == "copying") {
    text += copy_line(link);
  }
  text += fmt::format("  lag       {:.1f} s, {}\n", link["lag_seconds"].get<double>(),
                      bytes_text(link["lag_bytes"].get<int64_t>()));
  text += fmt::format("  position  received {}, applied {}, durable {}, confirmed {}\n",
                      link["received"].get<std::string>(), link["applied"].get<std::string>(),
                      link["durable"].get<std::string>(), link["confirmed"].get<std::string>());
  text +=
      fmt::format("  applied   {} transactions, {} rows since the daemon started\n",
                  link["applied_transactions"].get<int64_t>(), link["applied_rows"].get<int64_t>());
  const Json& slot = link["slot"];
  if (slot["exists"].get<bool>()) {
    text += fmt::format("  slot      {} {}, keeps {}", slot["name"].get<std::string>(),
                        slot["wal_status"].get<std::string>(),
                        bytes_text(slot["retained_bytes"].get<int64_t>()));
    if (!slot["safe_bytes"].is_null()) {
      text += fmt::format(", {} until it is lost", bytes_text(slot["safe_bytes"].get<int64_t>()));
    }
    text += "\n";
  }
  if (const auto rogue = link["rogue_changes"].get<int64_t>(); rogue > 0) {
    text +=
        fmt::format("  rogue     {} changes of a replica by somebody else, not applied\n", rogue);
  }
  if (!link["error"].is_null()) {
    text += error_lines(link["error"], colour);
  }
  return text;
}

std::string age_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::max(seconds, 0.0));
  if (whole < 120) {
    return fmt::format("{} s ago", whole);
  }
  return whole < 7200 ? fmt::format("{} min ago", whole / 60)
                      : fmt::format("{} h ago", whole / 3600);
}

// Of one table; null: it was never compared.
std::string proof_text(const Json& proof, double now) {
  if (proof.is_null()) {
    return "none";
  }
  const std::string age = age_text(now - proof["at"].get<double>());
  if (proof["equal"].get<bool>()) {
    return (proof["unproven"].get<std::string>().empty() ? "equal, " : "overtaken, ") + age;
  }
  const int64_t rows = proof["missing"].get<int64_t>() + proof["extra"].get<int64_t>() +
                       proof["different"].get<int64_t>();
  return fmt::format("{} rows differ, {}", rows, age);
}

// Null: it could not be compared.
std::string gap_text(const Json& behind) {
  if (behind.is_null()) {
    return "cannot be compared";
  }
  const auto values = behind.get<int64_t>();
  return values > 0 ? fmt::format("is {} behind on the target", values)
                    : fmt::format("is {} ahead on the target", -values);
}

std::string orphans_text(const Json& orphans) {
  if (orphans["rows"].is_null()) {
    return "not looked at: " + orphans["unknown"].get<std::string>();
  }
  return fmt::format("{} rows on the target reference what is not there",
                     orphans["rows"].get<int64_t>());
}

}  // namespace

std::string bytes_text(int64_t bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit < std::size(units) - 1) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string render_status(const Json& status, bool colour) {
  std::string text;
  for (const Json& link : status["links"]) {
    text += render_link(link, colour);
  }
  for (const Json& group : status["groups"]) {
    const std::string primary = group["primary"];
    text += fmt::format("group {}: {}\n", group["name"].get<std::string>(),
                        primary == "unknown" ? "where it is written is not known yet"
                                             : "written on the " + primary);
  }
  text += fmt::format("repld {}, http on {}\n", status["version"].get<std::string>(),
                      status["http_listen"].get<std::string>());
  return text;
}

std::string render_tables(const Json& status) {
  size_t width = 5;
  for (const Json& link : status["links"]) {
    for (const Json& table : link["tables"]) {
      width = std::max(width, table["schema"].get<std::string>().size() +
                                  table["name"].get<std::string>().size() + 1);
    }
  }
  constexpr const char* kLine = "{:{}}  {:8}  {:>12}  {:>10}  {:>8}  {:24}  {}\n";
  std::string text = fmt::format(kLine, "table", width, "state", "rows copied", "bytes", "drift",
                                 "last proof", "group");
  for (const Json& link : status["links"]) {
    for (const Json& table : link["tables"]) {
      const auto drift =
          table["missing_rows"].get<int64_t>() + table["unexpected_rows"].get<int64_t>();
      text += fmt::format(
          kLine, table["schema"].get<std::string>() + "." + table["name"].get<std::string>(), width,
          table["state"].get<std::string>(), table["rows_copied"].get<int64_t>(),
          bytes_text(table["bytes_copied"].get<int64_t>()), drift,
          proof_text(table["proof"], status["at"].get<double>()),
          table["group"].get<std::string>());
    }
  }
  return text;
}

std::string render_proofs(const Json& proofs, bool colour) {
  size_t width = 5;
  for (const Json& table : proofs["tables"]) {
    width = std::max(width, table["table"].get<std::string>().size());
  }
  std::string text = fmt::format("{:{}}  {:>12}  {:>9}  {:>9}  {:>9}  {}\n", "table", width, "rows",
                                 "missing", "extra", "different", "proof");
  for (const Json& table : proofs["tables"]) {
    const auto unproven = table["unproven"].get<std::string>();
    const bool differs = table["missing"] != 0 || table["extra"] != 0 || table["different"] != 0;
    const std::string result = !unproven.empty() ? paint("unproven: " + unproven, "33", colour)
                               : differs         ? paint("differs", "31", colour)
                                                 : paint("equal", "32", colour);
    text +=
        fmt::format("{:{}}  {:>12}  {:>9}  {:>9}  {:>9}  {}\n", table["table"].get<std::string>(),
                    width, table["rows"].get<int64_t>(), table["missing"].get<int64_t>(),
                    table["extra"].get<int64_t>(), table["different"].get<int64_t>(), result);
    for (const Json& row : table.value("keys", Json::array())) {
      text += fmt::format("  {:9}  {} = {}\n", row["kind"].get<std::string>(), table["key"].dump(),
                          row["key"].dump());
    }
  }
  for (const Json& table : proofs["repaired"]) {
    text +=
        fmt::format("repaired {}: {} rows removed, {} written\n", table["table"].get<std::string>(),
                    table["removed"].get<int64_t>(), table["written"].get<int64_t>());
  }
  for (const Json& gap : proofs["sequences"]) {
    text += fmt::format("sequence {} {}\n", gap["sequence"].get<std::string>(),
                        gap_text(gap["behind"]));
  }
  for (const Json& each : proofs["orphans"]) {
    text +=
        fmt::format("foreign key {} of {}, set aside: {}\n", each["foreign_key"].get<std::string>(),
                    each["table"].get<std::string>(), orphans_text(each));
  }
  if (const auto why = proofs["not_looked_around"].get<std::string>(); !why.empty()) {
    text += "sequences and foreign keys were not all looked at: " + why + "\n";
  }
  return text + fmt::format("{}, at {} fences\n",
                            proofs["equal"].get<bool>() ? "all equal" : "not all equal",
                            proofs["fences"].get<int>());
}

std::string render_event(const Json& event) {
  const auto at = static_cast<std::time_t>(event["at"].get<double>());
  return fmt::format("{:%Y-%m-%d %H:%M:%S}  {:10}  {}\n", fmt::localtime(at),
                     event["kind"].get<std::string>(), event["message"].get<std::string>());
}

}  // namespace repld::cli
