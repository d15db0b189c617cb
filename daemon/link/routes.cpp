#include "link/routes.h"

#include <fmt/format.h>

#include "core/sql_text.h"

namespace repld::link {

Routes read_routes(pqxx::transaction_base& transaction, const std::string& link, Rows rows) {
  Routes routes;
  const std::string query =
      "select group_name, primary_side = 'target', generation from repld.route where link = $1 "
      "order by group_name";
  for (const auto& row :
       transaction.exec_params(rows == Rows::locked ? query + " for share" : query, link)) {
    routes[row[0].c_str()] = {row[1].as<bool>() ? Side::target : Side::source,
                              row[2].as<int64_t>()};
  }
  return routes;
}

Routes newest(const Routes& one, const Routes& other) {
  Routes routes = one;
  for (const auto& [group, route] : other) {
    Route& kept = routes.try_emplace(group, route).first->second;
    if (route.generation > kept.generation) {
      kept = route;
    }
  }
  return routes;
}

Side primary_of(const Config& config, const Routes& routes, const std::string& group) {
  const auto found = routes.find(group);
  if (found != routes.end()) {
    return found->second.primary;
  }
  for (const GroupConfig& each : config.groups) {
    if (each.name == group) {
      return each.primary;
    }
  }
  return Side::source;
}

void ensure_route(pqxx::transaction_base& transaction, const std::string& link,
                  const std::string& group, Side primary) {
  transaction.exec_params(
      "insert into repld.route (link, group_name, primary_side, generation) values ($1, $2, $3, 0) "
      "on conflict do nothing",
      link, group, to_string(primary));
}

std::string move_route_sql(const std::string& link, const std::string& group, const Route& route) {
  return fmt::format(
      "with moved as ("
      "  insert into repld.route as r (link, group_name, primary_side, generation) "
      "  values ({0}, {1}, {2}, {3}) on conflict (link, group_name) do update "
      "  set primary_side = excluded.primary_side, generation = excluded.generation, "
      "      changed_at = now() where r.generation < excluded.generation returning 1) "
      "select pg_logical_emit_message(true, {4}, {5}) from moved",
      quote_literal(link), quote_literal(group), quote_literal(to_string(route.primary)),
      route.generation, quote_literal(kRoutePrefix),
      quote_literal(fmt::format("{}:{}:{}", link, route.generation, group)));
}

}  // namespace repld::link
