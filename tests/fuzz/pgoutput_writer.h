// Writes decoded messages as a server sends them; the inverse of core/pgoutput.
#pragma once

#include <string>

#include "core/pgoutput.h"

namespace repld::fuzz {

// `bare`: the schema pg_catalog is written as the empty string, its other form on the wire.
std::string write_message(const pgoutput::Message& message, bool bare);

}  // namespace repld::fuzz
