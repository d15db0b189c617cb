// Folds the changes of a batch per row of the target, so that few statements apply many changes.
//
// Within a batch the changes to one key come down to whether the row was there before (its first
// change tells) and what it is after:
//
//   before -> after       becomes                                              rows due
//   absent -> absent      nothing                                              -
//   absent -> present     INSERT of the whole row                              1
//   present -> present    UPDATE of the columns known, merged column by        1
//                         column: unchanged TOAST stays out
//   present -> absent     DELETE                                               1
//
// Rows fold by the text of their key. Two texts may be equal to the type (1.0 and 1.00), but at
// most one of them is there before and one after, and DELETEs go first, INSERTs last.
//
// What cannot fold stays a change of its own, in order: a change of key (an UPDATE of the key, for
// delete and insert would lose unchanged TOAST), an UPDATE or DELETE of a table without a key,
// TRUNCATE, and whatever contradicts the changes before it. It parts what folds before it from
// what folds after it, for its table, and so does a change of the relation's shape. Between tables
// there is no order to keep: on a replica neither foreign keys nor the user's triggers act.
//
// A row that came and went within the batch is not looked for on the target: one that should not
// have been there stays until a proof finds it.
//
// Not thread-safe. Does no I/O.
#pragma once

#include <functional>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/apply_sql.h"
#include "core/row_view.h"
#include "core/transaction.h"

namespace repld {

// One column of a folded row. Points into the arena of a part.
struct Field {
  const char* text = nullptr;  // null: NULL
  uint32_t length = 0;
  bool known = false;  // false: unchanged TOAST, the target has it
};

// Rows of one table that one statement applies.
struct RowSet {
  ChangeKind kind = ChangeKind::insert;  // never truncate
  RelationPtr relation;                  // the first change's; all rows are laid out like it
  std::vector<bool> known;               // update: per column, whether it is set
  // Each has a field per column of the relation; of a row to delete only the key is meant.
  std::vector<const Field*> rows;
  size_t bytes = 0;  // of all texts
};

// A change that is applied as it came.
struct InOrder {
  size_t part = 0;    // index into what was added
  size_t change = 0;  // index into that part's changes
};

using ApplyStep = std::variant<RowSet, InOrder>;

class ChangeSet {
 public:
  using MappingOf = std::function<const RowMapping&(const RelationPtr&)>;
  // Relations whose changes are not folded, since their rows were refused out of order.
  using KeepsOrder = std::function<bool(const RelationPtr&)>;

  // Bounds of one RowSet; a single row may be larger.
  static constexpr size_t kRowsMax = 5000;
  static constexpr size_t kBytesMax = size_t{1} << 20;

  ChangeSet(MappingOf mapping_of, KeepsOrder keeps_order);

  // In commit order. Borrows `part` until the steps are done with.
  void add(const TransactionPart& part);

  // What to apply, in this order. To be called once, after the last add(); the rows live as long
  // as this object.
  std::vector<ApplyStep> take();

 private:
  struct Row {
    bool was_there = false;
    bool is_there = false;
    Field* fields = nullptr;
  };
  // Rows of one target table that are still folding.
  struct Group {
    const RowMapping* mapping = nullptr;
    RelationPtr relation;                               // the first
    std::unordered_map<uint32_t, RelationPtr> members;  // by oid
    std::vector<Row> rows;
    std::unordered_map<std::string, size_t> by_key;
  };

  void add_truncate(const Truncate& truncate, size_t index);
  bool fold(const TransactionPart& part, const Change& change, const RowMapping& mapping);
  bool read_key(const Change& change, const RowView& row, const RowMapping& mapping);
  Group& group_of(const RelationPtr& relation, const RowMapping& mapping);
  Field* new_fields(size_t count);
  void close(const std::string& target);
  void emit(const Group& group);

  const MappingOf mapping_of_;
  const KeepsOrder keeps_order_;
  std::pmr::monotonic_buffer_resource memory_;
  std::vector<Group> groups_;  // in order of their first change
  std::unordered_map<std::string_view, size_t> by_target_;
  std::vector<ApplyStep> steps_;
  std::string key_;  // reused
  size_t parts_ = 0;
};

}  // namespace repld
