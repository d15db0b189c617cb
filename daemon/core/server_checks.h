// Judges what a server says: can it be the source, the target, the source of the way back?
#pragma once

#include <vector>

#include "core/finding.h"
#include "core/server_facts.h"

namespace repld {

// `copy_workers`: sessions that the first copy adds.
std::vector<Finding> check_source(const ServerFacts& facts, int copy_workers);
std::vector<Finding> check_target(const ServerFacts& facts, int copy_workers);
// Encoding and collation of both together.
std::vector<Finding> check_locales(const ServerFacts& source, const ServerFacts& target);

// Parts of the above that concern replication: wal_level, role, slots, senders, the trial.
// On the target they decide only about the way back, so nothing there is an error.
void check_decoding(const ServerFacts& facts, std::vector<Finding>& findings);
// False when the server is too old for anything else to be asked of it.
bool check_version(const ServerFacts& facts, std::vector<Finding>& findings);
// What else acts on the server by itself: event triggers, cron jobs, webhooks.
void check_actors(const ServerFacts& facts, std::vector<Finding>& findings);
// Role, rights, connections, TLS, settings: alike on both sides.
void check_session(const ServerFacts& facts, int copy_workers, std::vector<Finding>& findings);

Finding finding_of(Severity severity, const char* check, Side side, std::string what,
                   std::string why = {});

}  // namespace repld
