#include "core/config.h"

#include <fmt/format.h>

#include <algorithm>

namespace repld {

const char* to_string(Side side) { return side == Side::source ? "source" : "target"; }

bool matches_pattern(std::string_view pattern, std::string_view name) {
  // Greedy with one point to come back to: the last star seen.
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*') {
      ++p;
      ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

bool matches_any_pattern(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches_pattern(pattern, name); });
}

namespace {

const GroupConfig* find_group(const Config& config, const std::string& name) {
  for (const GroupConfig& group : config.groups) {
    if (matches_any_pattern(group.tables, name)) {
      return &group;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> take_reloadable(const Config& read, Config& config) {
  std::vector<std::string> kept;
  const auto note = [&](bool same, const char* section) {
    if (!same) {
      kept.emplace_back(section);
    }
  };
  note(read.source == config.source, "source");
  note(read.target == config.target, "target");
  note(read.link == config.link, "link");
  note(read.http == config.http, "http");
  note(read.control == config.control, "control");
  config.tables = read.tables;
  config.groups = read.groups;
  config.copy = read.copy;
  config.apply = read.apply;
  config.verify = read.verify;
  config.cutover = read.cutover;
  note(read.log.format == config.log.format, "log");
  config.log.level = read.log.level;
  return kept;
}

bool same_for_link(const Config& one, const Config& other) {
  return one.tables == other.tables && one.groups == other.groups && one.copy == other.copy &&
         one.apply == other.apply;
}

OnNonempty on_nonempty(const Config& config) {
  return config.link.guard ? config.copy.on_nonempty : OnNonempty::refuse;
}

bool replicates_table(const Config& config, std::string_view schema, std::string_view table) {
  if (schema == "repld" || schema == "information_schema" || schema.substr(0, 3) == "pg_") {
    return false;
  }
  const std::string name = fmt::format("{}.{}", schema, table);
  if (!matches_any_pattern(config.tables.include, name) ||
      matches_any_pattern(config.tables.exclude, name)) {
    return false;
  }
  const GroupConfig* group = find_group(config, name);
  return group == nullptr || group->primary == Side::source;
}

std::string group_of(const Config& config, std::string_view schema, std::string_view table) {
  const GroupConfig* group = find_group(config, fmt::format("{}.{}", schema, table));
  return group == nullptr ? "all" : group->name;
}

}  // namespace repld
