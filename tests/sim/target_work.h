// What the statements of core/apply_sql and core/set_sql promise, on tables in memory.
//
// A set of rows is worked through in no particular order, with unique values checked row by row, as
// a server does it. Counts are checked as the statements check them: 22012 unless they are due.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/change_set.h"
#include "core/row_view.h"
#include "sim/random.h"
#include "sim/tables.h"

namespace repld::sim {

struct RowWork {
  std::string identity;     // of the row it is about, as it is before
  Row values;               // after; by column
  std::vector<bool> known;  // which of them are set
};

// One statement.
struct Work {
  size_t table = 0;
  ChangeKind kind = ChangeKind::insert;
  Strictness strictness = Strictness::exact;
  std::vector<RowWork> rows;      // one, but for folded ones
  std::vector<size_t> truncated;  // leaves
};

// As apply/change_binding binds them.
Work work_of(const TransactionPart& part, const Change& change, Strictness strictness);
Work work_of(const RowSet& rows);

struct Outcome {
  std::string sqlstate;                              // empty: done
  bool found = false;                                // mending: whether the row was there before
  std::optional<std::string> queued = std::nullopt;  // identity of a row that did not come whole
};

// On failure `tables` is left half changed: the transaction is lost anyway, or its savepoint helps.
// `allowed`: values that would be refused, and no longer are.
Outcome run(const Work& work, const std::set<std::string>& allowed, Database& tables,
            Random& random);

// Deferred checks: whether COMMIT may pass.
bool may_commit(const Database& tables, const std::set<std::string>& allowed);

}  // namespace repld::sim
