// Which side each group is written on: repld.route of one database, see migration 0009.
//
// A route and the guards on the same database change in one transaction. So whoever puts a guard on
// tables reads the routes in the same transaction with Rows::locked, and leaves alone what lives
// there.
#pragma once

#include <map>
#include <string>

#include "core/config.h"
#include "core/direction.h"
#include "pg/session.h"

namespace repld::link {

struct Route {
  Side primary = Side::source;
  int64_t generation = 0;

  bool operator==(const Route&) const = default;
};
using Routes = std::map<std::string, Route>;  // by group; one without a row is not in it

enum class Rows { free, locked };  // locked: they stay as they are until the transaction ends
// `link`: the name in the configuration, whatever the direction. Needs the schema to be migrated.
Routes read_routes(pqxx::transaction_base& transaction, const std::string& link, Rows rows);

// Of two databases, the higher generation of each group.
Routes newest(const Routes& one, const Routes& other);

// The route's, or without one the configuration's.
Side primary_of(const Config& config, const Routes& routes, const std::string& group);

// So that there is a row to lock; one that is there stays.
void ensure_route(pqxx::transaction_base& transaction, const std::string& link,
                  const std::string& group, Side primary);

// One statement: moves the group, unless the row is as new already, and says so in the WAL of this
// database. Whoever streams from it knows by that where the group began to live here, or ceased to.
std::string move_route_sql(const std::string& link, const std::string& group, const Route& route);

}  // namespace repld::link
