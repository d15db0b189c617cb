// Can these tables be published and read: WAL, replica identity, owner, rights, row level security.
#pragma once

#include <vector>

#include "core/finding.h"
#include "core/schema.h"

namespace repld {

// `source` holds the tables to replicate, with unlogged ones; `tables` those that the link would
// take, which are named with what the set-up refuses of them. `publishes`: the publication is ours
// to make, so owner and identity matter.
std::vector<Finding> check_source_tables(const schema::Database& source,
                                         const std::vector<SourceTable>& tables, bool publishes);

// A btree index of the target whose rows may be larger than an index row can be.
struct IndexToMeasure {
  TableName table;
  std::string index;
  std::vector<std::string> columns;  // of variable length
  std::string role;                  // that can drop it
  bool of_constraint = false;
};
// Those that the source does not have: with one that it has, its data fits.
std::vector<IndexToMeasure> indexes_to_measure(const schema::Database& source,
                                               const schema::Database& target);
// `bytes`: the largest row of the index, as the source's data would make it.
std::vector<Finding> check_index_rows(const IndexToMeasure& index, int64_t bytes);

// Tables of the target that hold rows already, while the first copy wants them empty.
std::vector<Finding> check_filled(const std::vector<TableName>& filled);

}  // namespace repld
