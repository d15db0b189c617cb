// Imports an exported snapshot into a transaction that has just begun.
//
// It lives as long as the session that exported it, whose end is noticed here first: that is not an
// error of anybody's making, so it comes out as Error(connect), and the copy starts over by itself.
#pragma once

#include <string>

#include "pg/connection.h"
#include "pg/session.h"

namespace repld::pg {

void import_snapshot(Connection& connection, const std::string& snapshot);
void import_snapshot(pqxx::transaction_base& transaction, const std::string& snapshot);

}  // namespace repld::pg
