// Reads a database's schema from its catalogs.
#pragma once

#include <functional>

#include "core/schema.h"
#include "pg/session.h"

namespace repld::doctor {

// Tables for which `wanted` is true, decided by the root of a partition, and everything that the
// side has to offer them: sequences, types, functions, extensions, schemas.
schema::Database read_schema(pg::Session& session,
                             const std::function<bool(const schema::Table&)>& wanted);

}  // namespace repld::doctor
