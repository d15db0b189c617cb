// Whether the two servers hash alike, asked before a comparison is believed.
#pragma once

#include "core/digest.h"
#include "pg/connection.h"

namespace repld::verify {

// Throws Error(refused) when no digest is the same on both, the transactions being intact.
Digest choose_digest(pg::Connection& source, pg::Connection& target);

}  // namespace repld::verify
