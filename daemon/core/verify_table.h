// Which rows and columns of a table are compared.
#pragma once

#include <string>
#include <vector>

#include "core/table.h"

namespace repld {

struct TablePart {
  TableName name;
  bool with_partitions = false;  // false: only the relation itself
  std::string filter;            // an SQL condition; empty: every row

  bool operator==(const TablePart&) const = default;
};

struct ComparedTable {
  TableName name;  // on the source
  std::vector<TablePart> source;
  std::vector<TablePart> target;
  std::vector<std::string> columns;  // of the source, in its order; both sides have them
  std::vector<std::string> key;      // some of them; empty: whole rows are compared
};

// Of the source the leaves that are listed, so `source` must be as the snapshot shows it; of the
// target everything below its root, since its partitions may be others. Left out are columns that
// either side computes. A filter holds on the target too, so that rows of others are not looked
// at, unless partitions have different ones. Without all of `key` among the columns, whole rows
// are compared.
// Throws Error(schema) when a column is missing on the target, or partitions differ in columns.
ComparedTable compared_table(const SourceTable& source, const TargetTable& target,
                             const std::vector<std::string>& key);

// By which columns rows of both sides are told apart: the first key of the target that the source
// keeps unique too. Empty: none.
std::vector<std::string> common_key(const RelationFacts& source, const TargetTable& target);

}  // namespace repld
