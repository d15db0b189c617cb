#include "tidy_rules.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace repld::testing {

namespace {

constexpr size_t kFileLinesMax = 400;
constexpr size_t kFunctionLinesMax = 70;
constexpr size_t kColumnsMax = 100;

// Written in pieces, so that this file is not among those that contain them.
std::string pieces(const char* first, const char* second) { return std::string(first) + second; }

const std::string kLaterNotes[] = {pieces("TO", "DO"), pieces("FIX", "ME"), pieces("X", "XX")};
const std::string kFolderElsewhere = pieces("/wo", "rk");
const std::string kPlaces[] = {
    pieces("180 min", "ute"), pieces("180-min", "ute"), pieces("--regi", "stry"),
    pieces("regi", "stry="),  pieces("//regi", "stry"), pieces("--index", "-url"),
    pieces("deb ht", "tp"),
};
const std::string kEmptyWords[] = {"util", "helper", "manager"};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  std::string line;
  while (std::getline(in, line)) {
    lines.push_back(line);
  }
  return lines;
}

bool is_cpp(const std::string& path) { return path.ends_with(".cpp") || path.ends_with(".h"); }

std::string at(const SourceText& file, size_t index, const std::string& problem) {
  return file.path + ":" + std::to_string(index + 1) + ": " + problem;
}

size_t code_points(const std::string& line) {
  return static_cast<size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

size_t indent_of(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Whether a block with this first line is no function. What is inside one (if, for, while) need
// not be told from it: it is shorter than the function around it.
bool opens_scope(const std::string& head) {
  for (const char* word :
       {"namespace", "class", "struct", "union", "enum", "extern", "TEST_SUITE"}) {
    if (head.rfind(word, indent_of(head)) == indent_of(head)) {
      return true;
    }
  }
  return false;
}

// The line on which the block that ends on line `end` starts: the nearest one above with the
// same indentation. Directives lie outside the indentation.
size_t head_of(const std::vector<std::string>& lines, size_t end) {
  const size_t indent = indent_of(lines[end]);
  for (size_t i = end; i-- > 0;) {
    const std::string& line = lines[i];
    if (!line.empty() && line.front() != '#' && indent_of(line) <= indent) {
      return i;
    }
  }
  return end;
}

void check_functions(const SourceText& file, const std::vector<std::string>& lines,
                     Findings& findings) {
  for (size_t end = 0; end < lines.size(); ++end) {
    const size_t indent = indent_of(lines[end]);
    if (lines[end].size() != indent + 1 || lines[end][indent] != '}') {
      continue;
    }
    const size_t head = head_of(lines, end);
    const size_t count = end - head + 1;
    if (count > kFunctionLinesMax && !opens_scope(lines[head])) {
      findings.push_back(at(file, head, "function of " + std::to_string(count) + " lines"));
    }
  }
}

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

bool names_word(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool starts = at == 0 || !is_word_character(text[at - 1]);
    if (starts && (end == text.size() || !is_word_character(text[end]))) {
      return true;
    }
  }
  return false;
}

Findings check_lengths(const SourceText& file) {
  Findings findings;
  if (!is_cpp(file.path)) {
    return findings;
  }
  const std::vector<std::string> lines = lines_of(file.text);
  if (lines.size() > kFileLinesMax) {
    findings.push_back(file.path + ": " + std::to_string(lines.size()) + " lines");
  }
  for (size_t i = 0; i < lines.size(); ++i) {
    if (code_points(lines[i]) > kColumnsMax) {
      findings.push_back(at(file, i, std::to_string(code_points(lines[i])) + " columns"));
    }
  }
  check_functions(file, lines, findings);
  return findings;
}

Findings check_header(const SourceText& file) {
  const bool guarded = ("\n" + file.text).find("\n#pragma once\n") != std::string::npos;
  return file.path.ends_with(".h") && !guarded ? Findings{file.path + ": no #pragma once"}
                                               : Findings{};
}

Findings check_text(const SourceText& file) {
  Findings findings;
  const std::vector<std::string> lines = lines_of(file.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (line.find('\t') != std::string::npos) {
      findings.push_back(at(file, i, "a tab"));
    }
    if (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
      findings.push_back(at(file, i, "a blank at the end"));
    }
    for (const std::string& word : kLaterNotes) {
      if (names_word(line, word)) {
        findings.push_back(at(file, i, word));
      }
    }
  }
  if (!file.text.empty() && file.text.back() != '\n') {
    findings.push_back(file.path + ": no newline at the end");
  }
  return findings;
}

Findings check_places(const SourceText& file) {
  Findings findings;
  const std::vector<std::string> lines = lines_of(file.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (names_word(lines[i], kFolderElsewhere)) {
      findings.push_back(at(file, i, "\"" + kFolderElsewhere + "\" belongs to one machine"));
    }
    for (const std::string& place : kPlaces) {
      if (lines[i].find(place) != std::string::npos) {
        findings.push_back(at(file, i, "\"" + place + "\" belongs to one machine"));
      }
    }
  }
  return findings;
}

Findings check_name(const SourceText& file) {
  const std::string name = file.path.substr(file.path.rfind('/') + 1);
  for (const std::string& word : kEmptyWords) {
    if (name.find(word) != std::string::npos) {
      return {file.path + ": \"" + word + "\" says nothing"};
    }
  }
  return {};
}

std::string query_constant(std::string_view path) {
  const std::string_view file = path.substr(path.rfind('/') + 1);
  std::string constant = "k";
  bool start = true;
  for (const char c : file.substr(0, file.find('.'))) {
    if (c != '_') {
      constant += start ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    }
    start = c == '_';
  }
  return constant;
}

}  // namespace repld::testing
