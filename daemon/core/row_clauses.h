// Clauses that the statements for one row (core/apply_sql) and for many (core/set_sql) share.
// Alias r is the row on the target.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/apply_sql.h"

namespace repld {

std::string joined(const std::vector<std::string>& parts, std::string_view separator);

// "only t", or "t" where rows lie in its partitions.
std::string only(const RowMapping& mapping);

// Equality of one column of r with an expression of its type.
std::string equal_to(const MappedColumn& column, const std::string& expression);

// Indexes of the columns that statements may give a value.
std::vector<size_t> written_columns(const RowMapping& mapping);

// "insert into t as r (columns) overriding system value"
std::string insert_into(const RowMapping& mapping, const std::vector<size_t>& columns);

// Whether an UPDATE sets a column that has changed or may have. Of the key only what moved: a
// column that is always generated cannot even be set to itself.
bool is_set(const MappedColumn& column, bool moved);

// Whether an UPDATE can only ask for this column's value: none can set what the target generates as
// identity. Where the source made a new one, the row is not found so; core/apply_sql replaces it.
bool is_fixed(const MappedColumn& column);

}  // namespace repld
