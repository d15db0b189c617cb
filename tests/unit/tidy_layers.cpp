#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <sstream>

#include "tidy_rules.h"

namespace repld::testing {

namespace {

// Rows of the house. A folder that is missing here may neither include nor be included.
const std::map<std::string, int, std::less<>> kRows = {
    {"core", 0},   {"base", 1}, {"pg", 2},     {"stream", 3},  {"apply", 3},
    {"link", 4},   {"copy", 5}, {"verify", 5}, {"cutover", 5}, {"control", 5},
    {"doctor", 5}, {"app", 6},  {"cli", 6},
};
constexpr int kProgramRow = 7;

// Standard headers that mean threads, clocks or files, which core is free of.
const std::vector<std::string> kImpure = {
    "atomic",   "chrono", "condition_variable", "filesystem", "fstream", "future",
    "iostream", "mutex",  "shared_mutex",       "stop_token", "thread",
};

bool starts_with_any(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.rfind(prefix, 0) == 0; });
}

bool is_standard(const std::string& name) { return name.find_first_of("./") == std::string::npos; }

// "core" for daemon/core/lsn.h; empty for a program, which lies in daemon/ itself.
std::string folder_of(const std::string& path) {
  const size_t first = path.find('/');
  const size_t last = path.rfind('/');
  return first == last ? "" : path.substr(first + 1, last - first - 1);
}

std::string refuse_quoted(const std::string& folder, int row, const std::string& name) {
  if (name == "embedded_sql.h") {
    return folder == "core" || folder == "cli" ? "knows no SQL files" : "";
  }
  const auto target = kRows.find(name.substr(0, name.find('/')));
  if (target == kRows.end() || name.find('/') == std::string::npos) {
    return "is no header of this program";
  }
  if (folder == "cli" && target->first != "cli" && target->first != "core") {
    return "cli may use core only";
  }
  if (target->first != folder && target->second >= row) {
    return target->second == row ? "is a peer" : "lies above";
  }
  return "";
}

std::string refuse_angled(const std::string& folder, const std::string& name) {
  if (name == "libpq-fe.h" && folder != "pg") {
    return "only pg may use libpq";
  }
  if (folder == "core") {
    const bool pure = std::find(kImpure.begin(), kImpure.end(), name) == kImpure.end();
    const bool allowed = is_standard(name) || starts_with_any(name, {"fmt/", "nlohmann/"});
    return pure && allowed ? "" : "core is pure";
  }
  if (folder == "cli" && name.find('/') != std::string::npos &&
      !starts_with_any(name, {"boost/asio/", "boost/beast/", "CLI/", "fmt/", "nlohmann/"})) {
    return "cli may use Beast, Asio, CLI11, nlohmann and fmt only";
  }
  return "";
}

}  // namespace

Findings check_layers(const SourceText& file) {
  Findings findings;
  if (file.path.rfind("daemon/", 0) != 0) {
    return findings;
  }
  const std::string folder = folder_of(file.path);
  const auto known = kRows.find(folder);
  if (known == kRows.end() && !folder.empty()) {
    return {file.path + ": folder " + folder + " has no row"};
  }
  const int row = folder.empty() ? kProgramRow : known->second;
  const std::regex include(R"rx(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)rx");
  std::istringstream lines(file.text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::smatch match;
    std::string problem;
    if (std::regex_match(line, match, include)) {
      problem =
          match[1] == "\"" ? refuse_quoted(folder, row, match[2]) : refuse_angled(folder, match[2]);
    } else if (folder != "pg" && names_word(line.substr(0, line.find("//")), "PGconn")) {
      problem = "only pg may name it";
    }
    if (!problem.empty()) {
      findings.push_back(file.path + ":" + std::to_string(number) + ": " + line + ": " + problem);
    }
  }
  return findings;
}

}  // namespace repld::testing
