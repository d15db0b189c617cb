// The Error for a connection that could not be made.
#pragma once

#include <string>

#include "core/error.h"
#include "pg/connection.h"
#include "pg/server.h"

namespace repld::pg {

// `message`: libpq's. Asks the server once more for the SQLSTATE when it answered in words that
// are not known, because libpq leaves it out of the message.
Error connect_error(const Server& server, Purpose purpose, const std::string& message);

// For a server that answers but does not know the replication protocol.
Error pooler_error(const Server& server);

// SQLSTATE that this server refuses such a session with; empty when it takes it, does not answer
// or gives none. For diagnosis: one more attempt to connect.
std::string refusal_sqlstate(const Server& server, Purpose purpose);

}  // namespace repld::pg
