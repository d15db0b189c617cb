// Tables as the catalogs of the two sides describe them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/type_fit.h"

namespace repld {

struct TableName {
  std::string schema;
  std::string name;

  auto operator<=>(const TableName&) const = default;
  std::string full() const { return schema + "." + name; }  // for messages, unquoted
};

// Rows live in leaves: the partitions at the bottom, or the table itself.
struct SourceLeaf {
  uint32_t oid = 0;
  TableName name;
  int64_t pages = 0;                 // 8 KB blocks of the table itself
  int64_t bytes = 0;                 // with TOAST
  bool identity_usable = false;      // UPDATE and DELETE can be published
  bool full_usable = false;          // they could with REPLICA IDENTITY FULL
  bool readable = false;             // by us
  bool streams = false;              // false: unlogged or foreign, its changes are in no WAL
  std::vector<std::string> columns;  // to copy, in order
  std::string filter;                // of the rows to copy, an SQL condition; empty: all
};

struct SourceTable {
  uint32_t oid = 0;
  TableName name;
  bool partitioned = false;
  bool owned = false;                      // by a role of ours, so that it can be published
  bool primary_key = false;                // which its partitions inherit
  std::vector<std::string> columns;        // in order, without generated ones
  std::map<std::string, TypeShape> types;  // of all columns
  std::vector<std::string> generated;
  std::vector<SourceLeaf> leaves;
};

// Whether a relation needs columns that identify its rows: `optional` where its publications are
// not ours and the source may let only INSERTs through, `unused` where nothing else can come.
enum class IdentityNeed { required, optional, unused };

// What the catalogs say of one relation that streams, a leaf or a plain table.
struct RelationFacts {
  TableName root;  // topmost parent, or itself
  uint32_t root_oid = 0;
  std::string bound;                           // of a partition, as DDL writes it
  std::string constraint;                      // of a partition, with those of its parents
  std::vector<std::vector<std::string>> keys;  // of unique indexes without nulls
  IdentityNeed identity = IdentityNeed::required;

  // Whether two partitions hold the same rows. Hash constraints name an OID of their server.
  bool same_bounds(const RelationFacts& other) const;
};

struct TargetColumn {
  std::string name;
  std::string type;  // without modifier, schema-qualified
  TypeShape full_type;
  std::string array;     // array of it, with commas between; empty: none
  std::string equality;  // operator; empty: none, compare the text
  bool generated = false;
  bool identity_always = false;
  std::string collation;  // quoted and qualified; empty: the type's own
};

struct TargetKey {
  bool primary = false;
  std::vector<std::string> columns;
};

struct TargetTable {
  uint32_t oid = 0;
  TableName name;  // the root, when found through a partition
  bool partitioned = false;
  bool owned = false;
  std::vector<TargetColumn> columns;
  std::vector<TargetKey> keys;          // primary key first
  std::vector<std::string> deferrable;  // unique and exclusion constraints, quoted and qualified

  const TargetColumn* find_column(const std::string& column) const;
};

// What is said of a source table that the target does not fit.
Error missing_table(const TableName& table);
Error missing_column(const TableName& table, const std::string& column);
// Throws Error(schema) where values of `type`, the source's, would not stay what they are.
void require_no_loss(const TableName& table, const TargetColumn& column, const TypeShape& type);

}  // namespace repld
