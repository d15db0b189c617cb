// What publications that are not ours give of a table, as pgoutput combines them, and whether it
// is still the same.
//
// Where several publish a leaf, the changes come under the name of the relation highest up among
// those that they publish it as, and only the publications of that one have a say in filter and
// columns. Their filters are joined by OR, and one without a filter lets every row pass; their
// columns must be the same. Operations add up over all of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/relation.h"
#include "core/table.h"

namespace repld {

struct Operations {
  bool inserts = false;
  bool updates = false;
  bool deletes = false;
  bool truncates = false;

  bool operator==(const Operations&) const = default;
};
std::string to_string(const Operations& operations);  // as `publish` of a publication

// What one publication says of one leaf.
struct LeafEntry {
  std::string publication;
  std::string entry;    // in the catalogs: another one when the table left and came back
  int level = 0;        // how far above the leaf is the relation under whose name it comes
  bool listed = false;  // there is a column list
  std::vector<std::string> columns;    // that come, without generated ones
  std::vector<std::string> generated;  // that come
  std::string filter;                  // empty: every row
  Operations operations;
};

// What they say together.
struct Supply {
  std::map<std::string, std::string> entries;  // by publication
  bool listed = false;
  std::vector<std::string> columns;
  std::vector<std::string> generated;
  std::string filter;
  Operations operations;

  bool gives(const std::string& column) const;
};

struct LeafSupply {
  uint32_t oid = 0;
  TableName name;
  bool leaf = true;                   // false: the partitioned root itself, which holds no rows
  std::vector<std::string> identity;  // columns of its replica identity; empty: none
  std::optional<Supply> supply;       // nothing: no publication publishes it
  // Publications whose column lists differ: the server would refuse to decode its changes.
  std::optional<std::pair<std::string, std::string>> conflict;

  // The source refuses UPDATE and DELETE of it, or nobody publishes them.
  bool only_inserts() const;
};

struct TableSupply {
  uint32_t oid = 0;
  TableName name;
  std::vector<LeafSupply> leaves;

  bool published() const;
  const LeafSupply* find_leaf(uint32_t leaf) const;
};

// `entries` are of one leaf, at least one.
void combine(const std::vector<LeafEntry>& entries, LeafSupply& leaf);

// Throws Error(schema) for the first table whose column lists conflict.
void require_one_column_list(const std::vector<TableSupply>& supplies);

// Those of `tables` that are published: their published leaves, with the columns and the filter.
std::vector<SourceTable> supplied_tables(const std::vector<SourceTable>& tables,
                                         const std::vector<TableSupply>& supplies);

// What a relation of the stream needs, of the table `root` or a partition of it.
IdentityNeed identity_need(const std::vector<TableSupply>& supplies, uint32_t relation,
                           const TableName& root);

// For repld.table_state. Throws Error(internal) on a text that is none of ours.
std::string supply_json(const TableSupply& supply);
TableSupply parse_supply(const std::string& json);

// Nothing when `now` gives what `then` gave. Error(schema) when it gives something else,
// Error(slot_lost) when the table left a publication and came back, so that changes went by.
std::optional<Error> supply_difference(const TableSupply& then, const TableSupply& now);

}  // namespace repld
