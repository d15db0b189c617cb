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
// name that the source's table has now. On a target that was dumped and restored: by the known one.
void find_unfound(pg::Session& source, pg::Session& target, const std::string& link,
                  const std::string& guard_nonce) {
  const std::string guard = apply::guard_name(link);
  for (const bool by_name : {false, true}) {
    for (const auto& row : target.exec_params(std::string(sql::kUnfoundTables), link, guard)) {
      const TableName known{row[0].c_str(), row[1].c_str()};
      const auto name = source.exec_params(
          "select n.nspname, c.relname from pg_class c join pg_namespace n "
          "on n.oid = c.relnamespace where c.oid = $1::oid",
          row[2].as<uint32_t>());
      const bool by_source = row[3].as<bool>();
      if (by_source && name.empty()) {
        continue;
      }
      const TableName called =
          by_source ? TableName{name[0][0].c_str(), name[0][1].c_str()} : known;
      target.exec_params(std::string(sql::kAdoptTable), link, known.schema, known.name,
                         called.schema, called.name, guard, guard_nonce, by_name);
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
  for (const char* of : {"table_state", "verification", "refetch", "set_aside"}) {
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

struct Renames {
  std::vector<Renamed> tables;
  std::vector<std::pair<TableName, uint32_t>> gone;  // whose names they take; oid on the source
};

Renames renames_of(pg::Session& target, const std::string& link) {
  Renames renames;
  for (const auto& row :
       target.exec_params(std::string(sql::kRenamedTables), link, apply::guard_name(link))) {
    Renamed table{{row[0].c_str(), row[1].c_str()}, {row[2].c_str(), row[3].c_str()}, ""};
    table.oid = row[4].c_str();
    if (!row[5].is_null()) {
      renames.gone.emplace_back(table.called, row[5].as<uint32_t>());
    }
    renames.tables.push_back(std::move(table));
  }
  return renames;
}

void follow(pg::Session& target, const std::string& link, const Renames& renames) {
  if (renames.tables.empty()) {
    return;
  }
  target.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    for (const auto& [table, source_oid] : renames.gone) {
      forget(transaction, link, table);
    }
    follow(transaction, link, renames.tables);
  });
}

}  // namespace

void follow_renames(pg::Session& source, pg::Session& target, const Shared& shared,
                    const std::string& guard_nonce) {
  const std::string& link = shared.name();
  find_unfound(source, target, link, guard_nonce);
  const Renames renames = renames_of(target, link);
  for (const Renamed& table : renames.tables) {
    require_replicated(shared.settings.config, table);
  }
  for (const auto& [table, source_oid] : renames.gone) {
    if (exists(source, source_oid)) {
      throw name_taken(table);
    }
  }
  follow(target, link, renames);
}

void follow_on_target(pg::Session& target, const std::string& link) {
  follow(target, link, renames_of(target, link));
}

}  // namespace repld::link
