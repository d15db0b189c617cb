// repld.cutover on one side: what a process that comes after must know. See core/cutover_fsm.
#pragma once

#include <optional>
#include <vector>

#include "core/cutover_fsm.h"
#include "cutover/course.h"
#include "link/routes.h"
#include "pg/session.h"

namespace repld::cutover {

// Also makes sure that the group has a route there, which `now` says when it has none.
void note_begun(pg::Session& session, const Course& course, Side now);

// Of cutovers that are not over there; none where the schema knows of no cutover yet.
std::vector<Course> unfinished(pg::Session& session, const std::string& link);

// Keeps the row as it is until the transaction ends: waits for whoever has it.
JournalState locked_state(pqxx::transaction_base& transaction, const std::string& id);

// After whoever might still change it has ended. Connects.
JournalState settled_state(const pg::Server& server, const std::string& id);

// Throws Error(internal) when it is in neither state.
void move_state(pqxx::transaction_base& transaction, const std::string& id, JournalState from,
                JournalState to);

// None where the schema knows of no routes yet.
link::Routes routes_of(pg::Session& session, const std::string& link);

}  // namespace repld::cutover
