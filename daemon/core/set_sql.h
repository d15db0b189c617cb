// SQL that applies one RowSet: many rows of one table by one statement, exactly.
//
// Values come as one array a column, in text form, and are taken apart by unnest: whatever the
// round trip and however many rows, there is one statement to send and to plan. The elements are
// read by the column type's own input, as parameters of single rows are. Arrays of arrays do not
// exist, and some types put another delimiter than a comma between elements: such a column comes
// as text[] and is cast. The last parameter is the number of rows due; a statement that touches
// another number fails (22012), before the COMMIT that is on its way already.
#pragma once

#include "core/apply_sql.h"
#include "core/change_set.h"

namespace repld {

// `parameters` are the columns that arrays are for, $1 the first; the number of rows comes after
// them. `known`: per column, of a RowSet that updates; else not looked at.
Statement set_statement(const RowMapping& mapping, ChangeKind kind, const std::vector<bool>& known);

}  // namespace repld
