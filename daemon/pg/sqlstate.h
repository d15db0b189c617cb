// What a server's refusal means to us.
//
// Source: PostgreSQL, "PostgreSQL Error Codes".
#pragma once

#include <string_view>

#include "core/error.h"

namespace repld::pg {

// Raised by our own functions, see sql/migrations.
inline constexpr std::string_view kNotOurs = "RP001";  // repld.advance

// connect: the server cannot do it now but may later (gone, restarting, read-only, out of
// resources, deadlock, cancelled). conflict: it refuses this row. schema: it does not know or
// allow what we name. Everything else: internal.
ErrorKind kind_of_sqlstate(std::string_view sqlstate);

}  // namespace repld::pg
