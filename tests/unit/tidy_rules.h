// Rules that every source file keeps, as functions of one file's name and text.
//
// They work on lines, not on a syntax tree: enough for code that is formatted alike everywhere.
// Each returns what is wrong, one finding per line of the answer, empty when nothing is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace repld::testing {

using Findings = std::vector<std::string>;

struct SourceText {
  std::string path;  // below the root of the tree, "daemon/core/lsn.h"
  std::string text;
};

// A folder of daemon/ includes itself and those below it, never one above, never a peer.
Findings check_layers(const SourceText& file);

// 400 lines, 70 lines a function, 100 columns; C++ only.
Findings check_lengths(const SourceText& file);

// #pragma once in headers; C++ only.
Findings check_header(const SourceText& file);

// Tabs, blanks at the end of a line, no newline at the end, notes to do something later.
Findings check_text(const SourceText& file);

// Paths, package sources and times that belong to one place where this was worked on.
Findings check_places(const SourceText& file);

// Words in file names that say nothing.
Findings check_name(const SourceText& file);

// The constant by which daemon/ knows sql/queries/some_name.sql: kSomeName.
std::string query_constant(std::string_view path);

// True when `name` occurs in `text` as a whole word.
bool names_word(std::string_view text, std::string_view name);

}  // namespace repld::testing
