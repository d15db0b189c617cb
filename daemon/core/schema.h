// A database's schema as values: what the catalogs say, in the words that DDL uses.
//
// Texts are the server's own (pg_get_constraintdef and the like) under an empty search_path, so
// that all names in them are qualified and both sides can be compared word by word.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/table.h"
#include "core/type_fit.h"

namespace repld::schema {

struct Column {
  std::string name;
  std::string type;             // with modifier
  std::vector<TypePart> parts;  // of the type
  std::string collation;        // empty: the type's own
  std::string expression;       // default, or what a generated column is computed from
  std::string identity;         // a: always, d: by default, empty: none
  std::string generated;        // s: stored, v: virtual, empty: none
  std::string identity_options;
  bool not_null = false;
  bool local = true;  // false: comes from a parent
  bool variable_length = false;
};

struct Constraint {
  std::string name;
  char kind = 'c';  // p, u, x, c, f
  std::string definition;
  TableName references;  // of a foreign key
};

struct Index {
  std::string name;
  std::string definition;
  bool of_constraint = false;
  bool unique = false;
  bool btree = false;
  std::vector<std::string> columns;  // INCLUDE as well
};

struct Trigger {
  std::string name;
  std::string definition;
  bool enabled = true;
  TableName function;
};

struct Policy {
  std::string name;
  std::vector<std::string> roles;  // empty: public
  std::string definition;
};

struct Table {
  uint32_t oid = 0;
  TableName name;
  TableName root;  // of a partition; else the table itself
  bool unlogged = false;
  std::string owner;
  bool owned = false;            // by us
  bool owner_superuser = false;  // the owner may do anything
  bool owner_logs_in = false;
  bool may_join_owner = false;   // we may make ourselves a member of it
  bool member_of_owner = false;  // we are one, perhaps without its rights
  std::string partition_key;
  std::optional<TableName> parent;  // of a partition
  std::string bounds;               // of a partition
  std::vector<TableName> inherits;
  bool row_security = false;
  bool row_security_forced = false;
  bool hides_rows = false;            // row level security applies to us
  std::string identity_index;         // made the replica identity by name; empty: none
  std::string identity_candidate;     // index that could be; empty: none
  std::vector<std::string> grantees;  // roles other than the owner
  std::vector<Column> columns;
  std::vector<Constraint> constraints;
  std::vector<Index> indexes;
  std::vector<Trigger> triggers;
  std::vector<Policy> policies;

  bool partitioned() const { return !partition_key.empty(); }
  const Column* find_column(const std::string& column) const;
};

struct Sequence {
  TableName name;
  std::string options;
  TableName owner;  // table it belongs to; empty: none
  std::string owner_column;
  bool used = false;  // by a table that matters
};

struct Type {
  TableName name;
  char kind = 'e';         // e: enum, d: domain, c: composite, r: range
  std::string definition;  // creates it
  std::vector<std::string> labels;
};

struct Function {
  TableName name;
  std::string signature;
  std::string language;
  std::string definition;
};

// Something that the tables cannot be without.
struct Requirement {
  enum class Kind { type, function, other };
  Kind kind = Kind::other;
  std::string schema;
  std::string name;       // of a function: its signature
  std::string extension;  // it belongs to; empty: none
  std::string extension_schema;
};

struct Extension {
  std::string name;
  std::string schema;  // empty: not installed
  bool trusted = false;
};

struct Namespace {
  std::string name;
  std::string owner;
  bool usage = false;
  bool create = false;
};

// A trigger or foreign key that the running link has put aside: it counts as there.
struct SetAside {
  TableName table;
  std::string name;

  auto operator<=>(const SetAside&) const = default;
};

struct Database {
  std::string user;  // who asked
  std::string owner;
  std::string superuser = "a superuser";  // one of them, by name
  bool user_inherits = true;              // the rights of roles that it is a member of
  bool may_alter_user = false;            // who asked may alter its own attributes
  bool grants_inherit = true;             // GRANT can say that itself: since version 16
  std::vector<Table> tables;              // parents first
  std::vector<Sequence> sequences;
  std::vector<Type> types;  // a type after those it is made of
  std::vector<Function> functions;
  std::vector<Requirement> requirements;
  std::vector<Extension> extensions;
  std::vector<Namespace> namespaces;
  std::vector<SetAside> set_aside;

  const Table* find_table(const TableName& name) const;
};

}  // namespace repld::schema
