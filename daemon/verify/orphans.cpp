#include "verify/orphans.h"

#include <algorithm>

#include "core/foreign_key.h"
#include "pg/catalog.h"
#include "verify/courtesy.h"

namespace repld::verify {

namespace {

constexpr const char* kSetAside =
    "select schema_name, table_name, name, definition from repld.set_aside "
    "where link = $1 and kind = 'foreign_key' and how = 'dropped' order by 1, 2, 3";

int64_t count(pg::Session& session, const std::string& query, const link::Link& link,
              const std::stop_token& stop) {
  std::stop_source give_way;
  const auto cancel = [&session] { session.cancel(); };
  const std::stop_callback on_stop(stop, cancel);
  const std::stop_callback on_giving_way(give_way.get_token(), cancel);
  const int pid = session.exec("select pg_backend_pid()")[0][0].as<int>();
  const Courtesy courtesy({{link.settings().target, pid}}, give_way);
  try {
    return session.exec(query)[0][0].as<int64_t>();
  } catch (const Error&) {
    if (give_way.stop_requested() && !stop.stop_requested()) {
      throw Error(ErrorKind::refused, "gave way to somebody who waited for the table");
    }
    throw;
  }
}

}  // namespace

std::vector<Orphans> find_orphans(link::Link& link, const std::vector<TableName>& tables,
                                  const std::stop_token& stop) {
  const auto is_asked_for = [&](const TableName& table) {
    return std::find(tables.begin(), tables.end(), table) != tables.end();
  };
  pg::Session target(link.settings().target);
  std::vector<Orphans> found;
  for (const auto& row : target.exec_params(kSetAside, link.settings().config.link.name)) {
    Orphans orphans{{row[0].c_str(), row[1].c_str()}, row[2].c_str(), std::nullopt, ""};
    const auto key = parse_foreign_key(orphans.table, orphans.foreign_key, row[3].c_str());
    if (key && !is_asked_for(key->table) && !is_asked_for(key->referenced)) {
      continue;
    }
    const auto referenced =
        key ? pg::read_target_table(target, key->referenced) : std::optional<TargetTable>();
    try {
      if (referenced) {
        orphans.rows = count(target, orphan_query(*key, *referenced), link, stop);
      } else {
        orphans.unknown = key ? "the target has no " + key->referenced.full()
                              : "a foreign key of a kind that repld does not know";
      }
    } catch (const Error& error) {
      if (stop.stop_requested() || error.kind() == ErrorKind::connect) {
        throw;
      }
      orphans.unknown = error.what();
    }
    if (orphans.rows != 0) {
      found.push_back(std::move(orphans));
    }
  }
  return found;
}

}  // namespace repld::verify
