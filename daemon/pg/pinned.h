// Whether a new session has taken the settings that we state in its startup packet.
//
// A pooler may drop them silently: values would be printed and parsed under anybody's settings, and
// timeouts would end us. So each session asks first, in one statement. On the way that states
// transaction_timeout, which servers before 17 refuse in a startup packet, and which would end a
// copy or a large transaction; not where our settings did not arrive, because that session is
// somebody else's too.
#pragma once

#include <string>

#include "pg/server.h"

namespace repld::pg {

// One row, one or more columns; the first is for require_pinned().
std::string pinned_sql(int server_version);

// Throws Error(connect) unless `answer` says that they arrived.
void require_pinned(const std::string& answer, const Server& server);

}  // namespace repld::pg
