// What is compared of a table, by what the catalogs of both sides say now.
#pragma once

#include "core/table.h"
#include "core/verify_table.h"
#include "pg/session.h"

namespace repld::verify {

// Throws Error(schema) when the target does not fit.
ComparedTable described(pg::Session& source, pg::Session& target, const SourceTable& table);

}  // namespace repld::verify
