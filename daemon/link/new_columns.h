// Columns that the source got while the link runs (apply.on_new_column = "add").
//
// A column goes to the target before the first row that has it, empty or with the one value that
// rows before it have on the source. Where that value is not known (a default that was computed
// row by row, an identity) nothing is added: the rows before would differ, and nothing in the
// stream says how.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/relation.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::link {

class NewColumns {
 public:
  using Tell = std::function<void(const std::string& text)>;
  // Borrows both. `tell` is told of every column added.
  NewColumns(pg::Session& source, pg::Session& target, Tell tell)
      : source_(source), target_(target), tell_(std::move(tell)) {}

  // Adds these columns of `relation` to `table` of the target, all or none. Calls `before_ddl`
  // before it waits for a lock. Throws Error(schema) when one cannot be added; a column that the
  // source does not have any more is left out.
  void add(const Relation& relation, const TableName& table,
           const std::vector<std::string>& columns, const std::function<void()>& before_ddl);

 private:
  pg::Session& source_;
  pg::Session& target_;
  const Tell tell_;
};

}  // namespace repld::link
