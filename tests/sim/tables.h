// The tables of the simulation, and a whole database of them in memory.
//
//   clients  key id; `email` is unique besides; `bio` may be stored out of line
//   events   no key on either side, REPLICA IDENTITY FULL; rows may be there twice
//   docs     REPLICA IDENTITY FULL, found on the target by its primary key; `body` out of line
//   seats    key (room, seat), which moves often; `note` out of line. Partitioned by room: two
//            leaves stream under names of their own, one with its columns in another order
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/apply_sql.h"
#include "core/relation.h"
#include "core/table.h"

namespace repld::sim {

inline constexpr size_t kTables = 4;
enum : size_t { kClients, kEvents, kDocs, kSeats };

using Text = std::optional<std::string>;  // none: NULL
using Row = std::vector<Text>;

struct TableSpec {
  TableName name;
  Relation relation;
  RowMapping mapping;
  std::optional<size_t> unique;  // column that is unique besides the key
  std::optional<size_t> toast;   // column whose long values are stored out of line

  bool full() const { return relation.identity == ReplicaIdentity::full; }
};

const std::array<TableSpec, kTables>& table_specs();

// What streams under an OID of its own: a table, or a partition.
struct Leaf {
  size_t table = 0;
  Relation relation;
  RowMapping mapping;
  std::vector<size_t> columns;  // of the table, by column of the leaf
};
const std::vector<Leaf>& leaves();
size_t leaf_of_oid(uint32_t oid);
size_t leaf_of(size_t table, const std::string& identity);

// A value that the source stores out of line, so that an UPDATE which leaves it alone omits it.
bool out_of_line(const TableSpec& spec, size_t column, const Text& value);

// By which the target finds a row: its key, or the whole row where there is none.
std::string identity_of(const TableSpec& spec, const Row& row);
std::string show(const Row& row);

struct Entry {
  Row row;
  int count = 1;  // above one only without a key
  bool operator==(const Entry&) const = default;
};
using Rows = std::map<std::string, Entry>;  // by identity

// Copies share tables until one is edited.
class Database {
 public:
  Database();
  const Rows& rows(size_t table) const { return *tables_[table]; }
  Rows& edit(size_t table);
  const Row* find(size_t table, const std::string& identity) const;
  void add(size_t table, const Row& row);
  // Of a row that is there: one of its kind.
  void remove(size_t table, const std::string& identity);
  void truncate(size_t leaf);
  // Whether another row holds this value of the unique column.
  bool taken(size_t table, const Row& row, const std::string& except) const;

 private:
  std::array<std::shared_ptr<Rows>, kTables> tables_;
};

}  // namespace repld::sim
