// Compares databases row by row, without any of repld's code: every row as text, as multisets.
#pragma once

#include <string>
#include <vector>

namespace repld::testing {

// One line per table that differs, with how many rows are missing and extra on the target; never
// the rows themselves. `tables` are qualified and quoted as needed; partitions count through their
// root, inheritance children for themselves.
std::vector<std::string> compare_databases(const std::string& source_dsn,
                                           const std::string& target_dsn,
                                           const std::vector<std::string>& tables);

}  // namespace repld::testing
