// The columns of one change, old row and new.
//
// Under REPLICA IDENTITY FULL the old row is whole, so a TOAST value that the new row leaves out is
// taken from there.
#pragma once

#include <string_view>

#include "core/transaction.h"

namespace repld {

class RowView {
 public:
  // Borrows both.
  RowView(const TransactionPart& part, const Change& change) : part_(part), change_(change) {}

  const Value& old_value(size_t column) const { return part_.values[change_.old_first + column]; }

  const Value& new_value(size_t column) const {
    const Value& value = part_.values[change_.new_first + column];
    const bool from_old =
        value.kind == Value::Kind::unchanged && change_.old_tuple == OldTuple::full;
    return from_old ? old_value(column) : value;
  }

  // Ends with a zero byte; null for NULL and for unchanged TOAST.
  const char* text(const Value& value) const {
    return value.kind == Value::Kind::text ? part_.text(value) : nullptr;
  }

  // Whether an UPDATE that carries its old row changed this column.
  bool differs(size_t column) const {
    const Value& before = old_value(column);
    const Value& after = new_value(column);
    return before.kind != after.kind || std::string_view(part_.text(before), before.length) !=
                                            std::string_view(part_.text(after), after.length);
  }

 private:
  const TransactionPart& part_;
  const Change& change_;
};

}  // namespace repld
