// A pair whose target can decode too, and what a cutover does to it, in its two transactions and
// nothing else: without freeze, without proof.
#pragma once

#include "support/pair.h"

namespace repld::testing {

inline PairOptions both_decode(const std::string& extra = "") {
  PairOptions options;
  options.target_variant = TimewebVariant::C;
  options.extra = extra;
  return options;
}

// Of one link in /api/v1/status; null: it is not shown.
inline nlohmann::json link_of(const Pair& pair, const std::string& name) {
  const nlohmann::json status = nlohmann::json::parse(pair.daemon.status_json(), nullptr, false);
  if (status.is_object()) {
    for (const nlohmann::json& link : status["links"]) {
      if (link["name"] == name) {
        return link;
      }
    }
  }
  return nullptr;
}
inline nlohmann::json way_back(const Pair& pair) { return link_of(pair, "pair-back"); }

inline bool streams_back(const Pair& pair) {
  return eventually(30s, [&] {
    const nlohmann::json link = way_back(pair);
    return link.is_object() && link["state"] == "streaming";
  });
}

// The tables' group moves there: closed on the one side, then opened on the other.
struct Move {
  std::string group = "all";
  std::vector<std::string> tables = {"t"};
  int generation = 1;
};

inline std::string route_sql(const Move& move, const std::string& side) {
  const std::string generation = std::to_string(move.generation);
  return "insert into repld.route (link, group_name, primary_side, generation) values ('pair', '" +
         move.group + "', '" + side + "', " + generation +
         ") on conflict (link, group_name) do update set primary_side = excluded.primary_side, "
         "generation = excluded.generation; select pg_logical_emit_message(true, 'repld.route', "
         "'pair:" +
         generation + ":" + move.group + "'); ";
}

// Those of what the link has carried, on its target.
inline std::string open_sql(const Move& move, const std::string& link) {
  std::string tables;
  for (const std::string& table : move.tables) {
    tables += (tables.empty() ? "" : ",") + table;
  }
  return "select repld.open_group('" + link + "', array(select 'public' from unnest('{" + tables +
         "}'::text[])), '{" + tables + "}'); ";
}

inline void move_to_target(const Pair& pair, const Move& move = {}) {
  pair.on_source("begin; " + route_sql(move, "target") + "commit");
  pair.on_target("begin; " + open_sql(move, "pair") + route_sql(move, "target") + "commit");
}

inline void move_to_source(const Pair& pair, const Move& move) {
  pair.on_target("begin; " + route_sql(move, "source") + "commit");
  pair.on_source("begin; " + open_sql(move, "pair-back") + route_sql(move, "source") + "commit");
}

}  // namespace repld::testing
