// Every kind of change that one transaction can stream, as pieces of SQL for the tables of
// everything.sql. What needs the target's part too, or takes its time, is in everything_courses.h.
#pragma once

#include <vector>

#include "operation.h"

namespace repld::testing {

// As in demo/operation.h, with one thing more: `extreme` ones lock their table as a whole, start
// a first copy over, or touch no countable rows. All others count as done only when the last of
// their statements touches a row (or a function returns how many it did).
std::vector<demo::Operation> everything_changes();

}  // namespace repld::testing
