// Whom the creation of a slot waits for. A slot begins where no transaction is open that began
// before it, so one session that sits idle in a transaction holds up a new link for ever.
#pragma once

#include <optional>

#include "core/status.h"
#include "pg/session.h"

namespace repld::link {

// The oldest transaction with an xid on the source, when it has been open for a while.
std::optional<ErrorStatus> slot_blocker(pg::Session& source);

}  // namespace repld::link
