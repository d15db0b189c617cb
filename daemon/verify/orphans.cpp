#include "verify/orphans.h"

#include <set>

#include "core/foreign_key.h"
#include "pg/catalog.h"
#include "verify/courtesy.h"
#include "verify/together.h"

namespace repld::verify {

namespace {

constexpr const char* kSetAside =
    "select schema_name, table_name, name, definition from repld.set_aside "
    "where link = $1 and kind = 'foreign_key' and how = 'dropped' order by 1, 2, 3";

int64_t count(pg::Session& session, const std::string& query, const link::Link& link,
              const std::stop_token& stop) {
  std::stop_source give_way;
  std::stop_source end;
  const std::stop_callback on_stop(stop, [&] { end.request_stop(); });
  const std::stop_callback on_giving_way(give_way.get_token(), [&] { end.request_stop(); });
  const int pid = session.exec("select pg_backend_pid()")[0][0].as<int>();
  const Courtesy courtesy({{link.settings().target, pid}}, give_way);
  int64_t rows = 0;
  try {
    run_together(
        {[&] { rows = session.exec(query)[0][0].as<int64_t>(); }}, [&] { session.cancel(); },
        end.get_token());
  } catch (const Error&) {
    if (give_way.stop_requested() && !stop.stop_requested()) {
      throw Error(ErrorKind::refused, "gave way to somebody who waited for the table");
    }
    throw;
  }
  return rows;
}

// Throws Error(refused) for one whose rows are not there yet.
TargetTable end_of(pg::Session& target, const LinkStatus& status, const TableName& name) {
  const auto table = pg::read_target_table(target, name);
  if (!table) {
    throw Error(ErrorKind::refused, "the target has no " + name.full());
  }
  for (const TableStatus& shown : status.tables) {
    if (shown.schema == table->name.schema && shown.name == table->name.name &&
        shown.state != TableState::copied) {
      throw Error(ErrorKind::refused, name.full() + " is yet to be copied");
    }
  }
  return *table;
}

}  // namespace

std::vector<Orphans> find_orphans(link::Link& link, const std::vector<TableName>& tables,
                                  const std::stop_token& stop) {
  const std::set<TableName> asked(tables.begin(), tables.end());
  const LinkStatus status = link.status();
  pg::Session target(link.settings().target);
  std::vector<Orphans> found;
  for (const auto& row : target.exec_params(kSetAside, link.settings().config.link.name)) {
    Orphans orphans{{row[0].c_str(), row[1].c_str()}, row[2].c_str(), std::nullopt, ""};
    const auto key = parse_foreign_key(orphans.table, orphans.foreign_key, row[3].c_str());
    if (key && asked.count(key->table) == 0 && asked.count(key->referenced) == 0) {
      continue;
    }
    try {
      if (!key) {
        throw Error(ErrorKind::refused, "a foreign key of a kind that repld does not know");
      }
      const TargetTable table = end_of(target, status, key->table);
      const TargetTable referenced = end_of(target, status, key->referenced);
      orphans.rows = count(target, orphan_query(*key, table, referenced), link, stop);
    } catch (const Error& error) {
      const bool lost = error.kind() == ErrorKind::connect && error.sqlstate().empty();
      if (stop.stop_requested() || lost) {
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
