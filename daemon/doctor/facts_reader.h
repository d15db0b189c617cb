// Asks a server about itself and about us.
#pragma once

#include <string>

#include "core/finding.h"
#include "core/server_facts.h"
#include "pg/server.h"
#include "pg/session.h"

namespace repld::doctor {

// How the configuration says to connect. Throws Error(config).
Endpoint endpoint_of(const pg::Server& server);

// Everything but the trial. `slot_name`: this link's.
ServerFacts read_facts(pg::Session& session, const pg::Server& server,
                       const std::string& slot_name);

// Logs in for replication, makes a temporary slot and leaves. Waits at most a few seconds for
// transactions that are open.
ReplicationTrial try_replication(const pg::Server& server);

// Times fifty of each.
Latency measure_latency(pg::Session& session);

}  // namespace repld::doctor
