// Brings schema repld of one database to the version this program needs.
#pragma once

#include "pg/session.h"

namespace repld::pg {

// Applies what is missing, each migration in a transaction of its own under one advisory lock,
// so that several daemons may start at once. Throws Error(schema) when the schema is newer than
// this program.
void migrate(Session& session);

// The same error, and nothing else: for commands, which may come before a link has looked.
void require_not_newer(Session& session);

}  // namespace repld::pg
