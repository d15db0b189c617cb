#include "link/renames.h"

#include <vector>

#include "apply/surroundings.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "link/table_plan.h"

namespace repld::link {

namespace {

struct Renamed {
  TableName known;
  TableName called;
  std::string oid;
};

bool exists(pg::Session& source, uint32_t oid) {
  return !source.exec_params("select from pg_class where oid = $1::oid", oid).empty();
}

// In links that were set up before the target's tables were known by oid, and renamed since: by the
// name that the source's table has now, and our guard.
void find_unfound(pg::Session& source, pg::Session& target, const std::string& link) {
  for (const auto& row : target.exec_params(std::string(sql::kUnfoundTables), link)) {
    const auto name = source.exec_params(
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.oid = $1::oid",
        row[2].as<uint32_t>());
    if (!name.empty()) {
      target.exec_params(
          "update repld.table_state set target_oid = g.tgrelid from pg_trigger g "
          "where link = $1 and schema_name = $2 and table_name = $3 "
          "and g.tgrelid = to_regclass(format('%I.%I', $4::text, $5::text)) and g.tgname = $6 "
          "and g.tgfoid = 'repld.refuse_write()'::regprocedure",
          link, row[0].c_str(), row[1].c_str(), name[0][0].c_str(), name[0][1].c_str(),
          apply::guard_name(link));
    }
  }
}

void require_replicated(const Config& config, const Renamed& table) {
  const auto replicated = [&](const TableName& name) {
    return replicates_table(config, name.schema, name.name);
  };
  if (replicated(table.known) && !replicated(table.called)) {
    throw Error(ErrorKind::schema,
                fmt::format("a replicated table was renamed to \"{}\", which the configuration "
                            "leaves out",
                            table.called.full()))
        .detail("it was \"{}\"", table.known.full())
        .hint(
            "Name it in tables.include and reload (SIGHUP) or restart repld; or rename it back on "
            "both sides and run replctl resume.")
        .table(table.called.full());
  }
}

Error name_taken(const TableName& name) {
  Error error(ErrorKind::schema,
              fmt::format("replicated table \"{}\" is gone from the target", name.full()));
  error.detail("another one bears its name there, and the source has both");
  error.hint(
      "Rename on the target as on the source, then run replctl resume. If the table is lost, run "
      "replctl finalize and set the link up again.");
  return error.table(name.full());
}

void forget(pqxx::transaction_base& transaction, const std::string& link, const TableName& table) {
  for (const char* of : {"table_state", "verification", "refetch"}) {
    transaction.exec_params(
        fmt::format("delete from repld.{} where link = $1 and schema_name = $2 and table_name = $3",
                    of),
        link, table.schema, table.name);
  }
}

// Two steps, since tables may have exchanged their names: a name of no schema in between.
void follow(pqxx::transaction_base& transaction, const std::string& link,
            const std::vector<Renamed>& tables) {
  constexpr const char* kStatement =
      "update repld.{} set schema_name = {}, table_name = {} "
      "where link = {} and schema_name = {} and table_name = {}";
  for (const char* of : {"table_state", "verification", "refetch", "set_aside"}) {
    for (const Renamed& table : tables) {
      transaction.exec(fmt::format(kStatement, of, "''", quote_literal(table.oid),
                                   quote_literal(link), quote_literal(table.known.schema),
                                   quote_literal(table.known.name)));
    }
    for (const Renamed& table : tables) {
      transaction.exec(fmt::format(kStatement, of, quote_literal(table.called.schema),
                                   quote_literal(table.called.name), quote_literal(link), "''",
                                   quote_literal(table.oid)));
    }
  }
}

}  // namespace

void follow_renames(pg::Session& source, pg::Session& target, const Shared& shared) {
  const std::string& link = shared.name();
  find_unfound(source, target, link);
  std::vector<Renamed> tables;
  std::vector<TableName> gone;
  for (const auto& row : target.exec_params(std::string(sql::kRenamedTables), link)) {
    Renamed table{{row[0].c_str(), row[1].c_str()}, {row[2].c_str(), row[3].c_str()}, ""};
    table.oid = row[4].c_str();
    require_replicated(shared.settings.config, table);
    if (!row[5].is_null() && exists(source, row[5].as<uint32_t>())) {
      throw name_taken(table.called);
    }
    if (!row[5].is_null()) {
      gone.push_back(table.called);
    }
    tables.push_back(std::move(table));
  }
  if (tables.empty()) {
    return;
  }
  target.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    for (const TableName& table : gone) {
      forget(transaction, link, table);
    }
    follow(transaction, link, tables);
  });
}

}  // namespace repld::link
