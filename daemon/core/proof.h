// What comparing one table on both sides came to.
//
// Keys are values of rows: they go to the operator who asked, never to a log, a metric or an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/table.h"

namespace repld {

// missing: on the source only; extra: on the target only; different: on both, but not alike.
enum class RowDifference { missing, extra, different };
const char* to_string(RowDifference difference);

// As the key columns print, in their order; of a table without a key, all columns. Absent: null.
using KeyTexts = std::vector<std::optional<std::string>>;

struct DifferingRow {
  RowDifference kind = RowDifference::missing;
  KeyTexts key;

  bool operator==(const DifferingRow&) const = default;
};

struct TableProof {
  TableName table;  // as the source names it
  int64_t rows = 0;
  int64_t target_rows = 0;
  // Exact, whatever is listed. Of several equal rows each counts.
  int64_t missing = 0;
  int64_t extra = 0;
  int64_t different = 0;
  std::vector<std::string> key;       // the columns whose values are listed
  std::vector<ColumnForm> key_forms;  // parallel to key
  std::vector<DifferingRow> listed;
  std::string unproven;  // why nothing is proven, so that the counts say nothing; empty: proven
  double seconds = 0;
  int64_t bytes = 0;  // that both servers sent

  bool equal() const { return unproven.empty() && missing == 0 && extra == 0 && different == 0; }
};

// Of several tables within a bounded time.
struct FreezeProof {
  std::vector<TableProof> tables;
  std::vector<TableName> left_out;  // there was no time for them
};

}  // namespace repld
