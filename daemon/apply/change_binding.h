// A change, or a set of folded ones, as a prepared statement and its parameter values.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "apply/schema_map.h"
#include "core/array_text.h"
#include "core/change_set.h"
#include "core/transaction.h"

namespace repld::apply {

struct BoundChange {
  MappedRelation* relation = nullptr;    // null for truncate
  Prepared* prepared = nullptr;          // one row
  const std::string* unnamed = nullptr;  // many rows
  std::vector<std::string> plain;        // truncate: statements without values, one after another
  std::vector<const char*> values;       // point into the part's arena, or below
  size_t bytes = 0;                      // of the values
  std::vector<ArrayText> arrays;
  std::string due;
};

// Fills `bound`, reusing its memory. Throws Error(schema) when the relation does not fit.
void bind(SchemaMap& schema, const TransactionPart& part, const Change& change,
          Strictness strictness, BoundChange& bound);

// The same for many rows, exactly.
void bind_set(SchemaMap& schema, const RowSet& rows, BoundChange& bound);

// That the tables of these parts' changes still bear their names; `bound.prepared` null: no table.
void bind_names(SchemaMap& schema, std::span<const TransactionPart> parts, BoundChange& bound);

}  // namespace repld::apply
