// What pgoutput says of a table, and how one row of it is held in memory.
//
// Source: PostgreSQL, "Logical Replication Message Formats", Relation and TupleData.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace repld {

// pg_class.relreplident.
enum class ReplicaIdentity : char { by_default = 'd', nothing = 'n', full = 'f', index = 'i' };

struct RelationColumn {
  std::string name;
  uint32_t type_oid = 0;
  int32_t type_modifier = -1;
  bool key = false;  // part of the replica identity; all columns under FULL

  bool operator==(const RelationColumn&) const = default;
};

struct Relation {
  uint32_t oid = 0;
  std::string schema;
  std::string name;
  ReplicaIdentity identity = ReplicaIdentity::by_default;
  std::vector<RelationColumn> columns;

  bool operator==(const Relation&) const = default;
  std::string full_name() const { return schema + "." + name; }  // for messages, unquoted
};

// Shared by every change that was decoded under it; compared by address in statement caches. One
// object for each time that the server described the relation, also when it said the same again:
// something about it may have changed that no description tells (its key, what it is a partition
// of), and from here on that counts.
using RelationPtr = std::shared_ptr<const Relation>;

// Latest shape of each relation on one replication connection. Empty after a reconnect: the
// server sends a Relation message before the first change of each relation of a session.
class RelationCache {
 public:
  RelationPtr store(Relation relation);
  // Throws Error(protocol) when the server never described this relation.
  RelationPtr find(uint32_t oid) const;

 private:
  std::unordered_map<uint32_t, RelationPtr> by_oid_;
};

// One column of a row.
struct Value {
  enum class Kind : uint8_t { null, unchanged, text };
  Kind kind = Kind::null;
  uint32_t length = 0;  // bytes, without the terminating zero
  size_t offset = 0;    // into the arena of the transaction part that holds the row
};

}  // namespace repld
