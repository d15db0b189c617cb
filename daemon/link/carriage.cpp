#include "link/carriage.h"

#include <utility>

#include "pg/catalog.h"

namespace repld::link {

namespace {

Routes read_all(pg::Session& session, const std::string& link) {
  return session.transact([&](pqxx::transaction_base& transaction) {
    return read_routes(transaction, configured_name(link), Rows::free);
  });
}

std::map<std::string, Flip> read_flips(pg::Session& target, const std::string& link) {
  std::map<std::string, Flip> flips;
  for (const auto& row : target.exec_params(
           "select group_name, generation, lsn from repld.flip where link = $1", link)) {
    flips[row[0].c_str()] = {row[1].as<int64_t>(), parse_lsn(row[2].c_str())};
  }
  return flips;
}

}  // namespace

Carriage::Carriage(std::string link, const Config& config, Routes source, Routes target,
                   std::map<std::string, Flip> flips)
    : link_(std::move(link)),
      config_(config),
      source_(std::move(source)),
      target_(std::move(target)),
      flips_(std::move(flips)),
      untouched_(!is_reverse(link_) && source_.empty() && target_.empty()) {}

// Of a group that has never moved the source, whatever the configuration says: what the link has
// copied it goes on to carry, until link/placement refuses it, and the way back has nothing of it.
Side Carriage::primary_in(const Routes& routes, const std::string& group) {
  const auto route = routes.find(group);
  return route == routes.end() ? Side::source : route->second.primary;
}

bool Carriage::lives_on_source(const Routes& routes, const std::string& group) const {
  return primary_in(routes, group) == source_side(link_);
}

bool Carriage::carries(const TableName& table) const {
  const std::string group = group_of(config_, table.schema, table.name);
  return lives_on_source(source_, group) && lives_on_source(target_, group);
}

bool Carriage::carries(const TableName& table, Lsn commit) const {
  const std::string group = group_of(config_, table.schema, table.name);
  const auto found = flips_.find(group);
  const Flip flip = found == flips_.end() ? Flip() : found->second;
  const int64_t generation = commit > flip.lsn ? flip.generation : flip.generation - 1;
  return side_at(group, generation) == source_side(link_);
}

Side Carriage::side_at(const std::string& group, int64_t generation) const {
  const Routes routes = newest(source_, target_);
  const auto route = routes.find(group);
  const Side primary = primary_in(routes, group);
  const int64_t moves = (route == routes.end() ? 0 : route->second.generation) - generation;
  const Side other = primary == Side::source ? Side::target : Side::source;
  return moves % 2 == 0 ? primary : other;
}

bool Carriage::has_met(const Announcement& move) const {
  const auto flip = flips_.find(move.group);
  return flip != flips_.end() && flip->second.generation >= move.generation;
}

CarriagePtr read_carriage(const std::string& link, const Config& config, pg::Session& target) {
  Routes routes = read_all(target, link);
  return std::make_shared<const Carriage>(link, config, routes, routes, read_flips(target, link));
}

CarriagePtr read_carriage(const std::string& link, const Config& config, pg::Session& source,
                          pg::Session& target) {
  Routes of_source;
  if (pg::may_read(source, {"repld", "route"})) {
    of_source = read_all(source, link);
  }
  return std::make_shared<const Carriage>(link, config, std::move(of_source),
                                          read_all(target, link), read_flips(target, link));
}

Carriage hold_carriage(pqxx::transaction_base& target, const std::string& link,
                       const Config& config) {
  const Routes routes = read_routes(target, configured_name(link), Rows::locked);
  return {link, config, routes, routes, {}};
}

void keep_flip(pg::Session& target, const std::string& link, const Announcement& move, Lsn lsn) {
  target.exec_params(
      "insert into repld.flip as f (link, group_name, generation, lsn) values ($1, $2, $3, "
      "$4::pg_lsn) on conflict (link, group_name) do update set generation = excluded.generation, "
      "lsn = excluded.lsn where f.generation < excluded.generation",
      link, move.group, move.generation, to_string(lsn));
}

}  // namespace repld::link
