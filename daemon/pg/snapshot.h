// Imports an exported snapshot into a transaction that has just begun, and makes sure that it
// shows what the one that was exported does: a pooler, or a name that leads to several servers,
// might have brought the session elsewhere.
//
// It lives as long as the session that exported it, whose end is noticed here first: that is not an
// error of anybody's making, so it comes out as Error(connect), and the copy starts over by itself.
#pragma once

#include <string>

#include "pg/connection.h"
#include "pg/session.h"

namespace repld::pg {

struct ExportedSnapshot {
  std::string name;
  std::string content;  // as pg_current_snapshot() prints it; empty: whoever imports it reads it
};

// Return the content.
std::string import_snapshot(Connection& connection, const ExportedSnapshot& snapshot);
std::string import_snapshot(pqxx::transaction_base& transaction, const ExportedSnapshot& snapshot);

}  // namespace repld::pg
