// Keeps the tree as it is meant to be. The rules are in tidy_rules and tidy_layers; the first case
// applies them to every file, the others show each rule that it finds what it is for.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "tidy_rules.h"

using namespace repld::testing;
namespace fs = std::filesystem;

namespace {

// Build folders, and what tools keep for themselves. CI's own files are hidden but ours.
bool is_foreign(const fs::path& path) {
  static const std::set<std::string> kHiddenOfOurs = {".ci",        ".dockerignore", ".github",
                                                      ".gitignore", ".clang-format", ".clang-tidy"};
  const std::string name = path.filename().string();
  const bool hidden = name.front() == '.' && kHiddenOfOurs.count(name) == 0;
  return hidden || name.rfind("build", 0) == 0 || name == "node_modules" ||
         name == "compile_commands.json";
}

std::vector<SourceText> read_tree() {
  const fs::path root = REPLD_SOURCE_DIR;
  std::vector<SourceText> files;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    const bool directory = entry->is_directory();
    // script/build is a program of ours.
    if (is_foreign(entry->path()) && (directory || entry.depth() == 0)) {
      if (directory) {
        entry.disable_recursion_pending();
      }
    } else if (entry->is_regular_file()) {
      std::ifstream in(entry->path(), std::ios::binary);
      files.push_back({entry->path().lexically_relative(root).generic_string(),
                       {std::istreambuf_iterator<char>(in), {}}});
    }
  }
  return files;
}

bool below(const SourceText& file, std::string_view folder) {
  return file.path.rfind(folder, 0) == 0;
}

Findings all_findings(const SourceText& file) {
  Findings all;
  const auto add = [&](const Findings& more) { all.insert(all.end(), more.begin(), more.end()); };
  add(check_places(file));
  add(check_name(file));
  if (!below(file, "tests/data/")) {
    add(check_text(file));
    add(check_lengths(file));
    add(check_header(file));
    add(check_layers(file));
  }
  return all;
}

std::string joined(const Findings& findings) {
  std::string text;
  for (const std::string& finding : findings) {
    text += finding + "\n";
  }
  return text;
}

// How many lines of code a text of this many lines has, as one function.
std::string function_of(int lines, const std::string& head = "int f() {") {
  std::string text = head + "\n";
  for (int i = 2; i < lines; ++i) {
    text += "  ++count;\n";
  }
  return text + "}\n";
}

}  // namespace

TEST_CASE("every file of the tree keeps the rules") {
  const std::vector<SourceText> files = read_tree();
  const auto sources = std::count_if(files.begin(), files.end(), [](const SourceText& file) {
    return below(file, "daemon/") && file.path.ends_with(".cpp");
  });
  REQUIRE(files.size() > 100);
  REQUIRE(sources > 40);
  for (const SourceText& file : files) {
    const std::string findings = joined(all_findings(file));
    CHECK_MESSAGE(findings.empty(), findings);
  }
}

TEST_CASE("every query is used by the daemon") {
  const std::vector<SourceText> files = read_tree();
  size_t queries = 0;
  for (const SourceText& query : files) {
    if (!below(query, "sql/queries/")) {
      continue;
    }
    ++queries;
    const bool used = std::any_of(files.begin(), files.end(), [&](const SourceText& file) {
      return below(file, "daemon/") && names_word(file.text, query_constant(query.path));
    });
    CAPTURE(query.path);
    CHECK(used);
  }
  CHECK(queries > 5);
}

TEST_CASE("every source of the daemon is built") {
  std::string cmake;
  const std::vector<SourceText> files = read_tree();
  for (const SourceText& file : files) {
    cmake += file.path == "CMakeLists.txt" ? file.text : "";
  }
  for (const SourceText& file : files) {
    if (!below(file, "daemon/") || !file.path.ends_with(".cpp")) {
      continue;
    }
    CAPTURE(file.path);
    const std::string folder = file.path.substr(0, file.path.rfind('/'));
    const std::string stem = fs::path(file.path).stem().string();
    const bool globbed = cmake.find(folder + "/*.cpp") != std::string::npos;
    const size_t programs = cmake.find("foreach(program ");
    REQUIRE(programs != std::string::npos);
    const std::string names = cmake.substr(programs, cmake.find(')', programs) - programs);
    CHECK((globbed || (folder == "daemon" && names_word(names, stem))));
  }
}

TEST_CASE("an include that leaves its place in the house is found") {
  struct Row {
    const char* path;
    const char* line;
    bool found;
  };
  const Row rows[] = {
      {"daemon/core/a.cpp", "#include \"core/lsn.h\"", false},
      {"daemon/core/a.cpp", "#include <algorithm>", false},
      {"daemon/core/a.cpp", "#include <nlohmann/json.hpp>", false},
      {"daemon/core/a.cpp", "#include \"base/wakeup.h\"", true},
      {"daemon/core/a.cpp", "  #  include \"base/wakeup.h\"", true},
      {"daemon/core/a.cpp", "#include <spdlog/spdlog.h>", true},
      {"daemon/core/a.cpp", "#include <unistd.h>", true},
      {"daemon/core/a.cpp", "#include <thread>", true},
      {"daemon/core/a.cpp", "#include \"embedded_sql.h\"", true},
      {"daemon/pg/a.cpp", "#include <libpq-fe.h>", false},
      {"daemon/pg/a.cpp", "PGconn* connection;", false},
      {"daemon/pg/a.cpp", "#include \"embedded_sql.h\"", false},
      {"daemon/base/a.cpp", "#include <libpq-fe.h>", true},
      {"daemon/link/a.cpp", "PGconn* connection;", true},
      {"daemon/link/a.cpp", "// only pg names PGconn", false},
      {"daemon/stream/a.cpp", "#include \"apply/applier.h\"", true},
      {"daemon/stream/a.cpp", "#include \"pg/session.h\"", false},
      {"daemon/apply/a.cpp", "#include \"stream/slot.h\"", true},
      {"daemon/link/a.cpp", "#include \"stream/slot.h\"", false},
      {"daemon/pg/a.cpp", "#include \"link/link.h\"", true},
      {"daemon/copy/a.cpp", "#include \"control/routes.h\"", true},
      {"daemon/app/a.cpp", "#include \"control/listener.h\"", false},
      {"daemon/app/a.cpp", "#include \"cli/render.h\"", true},
      {"daemon/cli/a.cpp", "#include \"core/config.h\"", false},
      {"daemon/cli/a.cpp", "#include \"base/logging.h\"", true},
      {"daemon/cli/a.cpp", "#include <boost/beast/http.hpp>", false},
      {"daemon/cli/a.cpp", "#include <spdlog/spdlog.h>", true},
      {"daemon/repld.cpp", "#include \"app/daemon.h\"", false},
      {"daemon/app/a.cpp", "#include \"repld.h\"", true},
      {"daemon/attic/a.cpp", "", true},
      {"tests/unit/a.cpp", "#include \"app/daemon.h\"", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    CAPTURE(row.line);
    CHECK(check_layers({row.path, "#pragma once\n" + std::string(row.line) + "\n"}).empty() !=
          row.found);
  }
}

TEST_CASE("what is too long is found") {
  struct Row {
    const char* name;
    std::string text;
    bool found;
  };
  std::string wide;
  for (int i = 0; i < 99; ++i) {
    wide += "\xC3\xA4";  // one column of two bytes
  }
  std::string file;
  for (int i = 0; i < 400; ++i) {
    file += "int count;\n";
  }
  const std::string method = "class C {\n  int f() {\n" + std::string(200, '\n') + "  }\n};\n";
  const Row rows[] = {
      {"400 lines", file, false},
      {"401 lines", file + "int count;\n", true},
      {"100 columns", wide + "a\n", false},
      {"101 columns", wide + "ab\n", true},
      {"function of 70 lines", function_of(70), false},
      {"function of 71 lines", function_of(71), true},
      {"long case", function_of(71, "TEST_CASE(\"a\") {"), true},
      {"head of two lines", function_of(71, "int f(int a,\n      int b) {"), true},
      {"constructor with members", function_of(71, "C::C()\n    : a_(1),\n      b_{2} {"), true},
      {"directive in a function", function_of(71, "int f() {\n#if 1"), true},
      {"long method", method, true},
      {"long class", "class C {\n" + std::string(200, '\n') + "};\n", false},
      {"long table", "const Row rows[] = {\n" + std::string(200, '\n') + "};\n", false},
      {"suite", "TEST_SUITE(\"a\") {\n" + std::string(200, '\n') + "}\n", false},
      {"namespace", "namespace {\n" + function_of(60) + function_of(60) + "}\n", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(check_lengths({"daemon/core/a.cpp", row.text}).empty() != row.found);
  }
  CHECK(check_lengths({"docs/a.md", wide + wide}).empty());
}

TEST_CASE("a header that may be included twice is found") {
  CHECK(check_header({"a.h", "// Why.\n#pragma once\n"}).empty());
  CHECK_FALSE(check_header({"a.h", "// #pragma once\n"}).empty());
  CHECK(check_header({"a.cpp", "int a;\n"}).empty());
}

TEST_CASE("marks that editors and people leave behind are found") {
  struct Row {
    std::string text;
    bool found;
  };
  const std::string note =
      "TO"
      "DO";
  const Row rows[] = {
      {"int a;\n", false},
      {"", false},
      {"int a;", true},
      {"\tint a;\n", true},
      {"int a; \n", true},
      {"int a;\r\n", true},
      {"// " + note + "\n", true},
      {"// " + note + ": more\n", true},
      {note + "S = 1\n", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(check_text({"a.cpp", row.text}).empty() != row.found);
  }
}

TEST_CASE("what belongs to one place of work is found, also between other text") {
  struct Row {
    std::string line;
    bool found;
  };
  const std::string folder =
      "/wo"
      "rk";
  const Row rows[] = {
      {"cd " + folder + "/main", true},
      {"\"" + folder + "\"", true},
      {folder + "ers wait", false},
      {"$cache" + folder, false},
      {"npm install --regi"
       "stry http://a.example",
       true},
      {"https://regi"
       "stry.a.example/",
       true},
      {"a run takes 180 min"
       "utes",
       true},
      {"a session of the server", false},
      {"https://www.postgresql.org/docs/", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(check_places({"README.md", "first\n" + row.line + "\n"}).empty() != row.found);
  }
}

TEST_CASE("file names that say nothing are found") {
  CHECK_FALSE(check_name({"daemon/core/string_utils.h", ""}).empty());
  CHECK_FALSE(check_name({"tests/support/helpers.cpp", ""}).empty());
  CHECK_FALSE(check_name({"daemon/link/link_manager.cpp", ""}).empty());
  CHECK(check_name({"daemon/core/lsn.h", ""}).empty());
}

TEST_CASE("a query is known by the constant that CMake makes of its name") {
  CHECK(query_constant("sql/queries/slot.sql") == "kSlot");
  CHECK(query_constant("sql/queries/foreign_keys.sql") == "kForeignKeys");
  CHECK(names_word("exec(sql::kSlot)", "kSlot"));
  CHECK_FALSE(names_word("exec(sql::kSlotRange)", "kSlot"));
  CHECK_FALSE(names_word("exec(sql::akSlot)", "kSlot"));
}
