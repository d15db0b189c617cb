// Types of columns as the catalogs define them, down to what they are made of.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "core/type_fit.h"
#include "pg/session.h"

namespace repld::pg {

using TypeId = std::pair<uint32_t, int32_t>;  // oid and modifier

// Those that the server has; one that was dropped is left out.
std::map<TypeId, TypeShape> read_types(Session& session, const std::set<TypeId>& types);
std::map<TypeId, TypeShape> read_types(pqxx::transaction_base& transaction,
                                       const std::set<TypeId>& types);

}  // namespace repld::pg
