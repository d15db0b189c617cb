#include "link/readiness.h"

#include <algorithm>

#include "core/connect_advice.h"
#include "core/publishing.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "pg/replication_connection.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

// Row security would apply to us: with row_security = off every query on such a table fails, and
// without it the policies' rows would be all there is.
std::vector<std::string> hiding_tables(pg::Session& session, const std::vector<TableName>& tables) {
  std::vector<std::string> hiding;
  for (const TableName& table : tables) {
    const std::string name = quote_qualified(table.schema, table.name);
    const auto rows = session.exec_params("select row_security_active($1::text)", name);
    if (rows[0][0].as<bool>()) {
      hiding.push_back(table.full());
    }
  }
  return hiding;
}

void require_all_rows(pg::Session& session, const std::vector<TableName>& tables) {
  const std::vector<std::string> hiding = hiding_tables(session, tables);
  if (hiding.empty()) {
    return;
  }
  const std::string role = session.exec("select current_user")[0][0].c_str();
  throw Error(ErrorKind::refused,
              fmt::format("row-level security of the {} would hide rows from repld",
                          to_string(session.side())))
      .detail("{}", fmt::join(hiding, ", "))
      .hint(
          "Let the role see every row: ALTER ROLE {} BYPASSRLS; or, where it owns the table, ALTER "
          "TABLE .. NO FORCE ROW LEVEL SECURITY; or list the tables in tables.exclude. repld looks "
          "again every few seconds.",
          quote_identifier(role))
      .sqlstate("42501")
      .table(hiding.front());
}

// Leaves, which are read by name.
void require_readable(pg::Session& source, const std::vector<SourceTable>& tables, bool publishes) {
  std::vector<std::string> closed;
  for (const TableName& table : unreadable(tables, publishes)) {
    closed.push_back(table.full());
  }
  if (!closed.empty()) {
    const std::string role = source.exec("select current_user")[0][0].c_str();
    throw Error(ErrorKind::refused, "tables that the source's user may not read")
        .detail("{}", fmt::join(closed, ", "))
        .hint(
            "As their owner run GRANT SELECT ON .. TO {}, or list the tables in tables.exclude. "
            "repld looks again every few seconds.",
            quote_identifier(role))
        .sqlstate("42501")
        .table(closed.front());
  }
}

void require_owned(pg::Session& target, const std::vector<TableName>& tables) {
  std::vector<std::string> foreign;
  std::vector<std::string> referencing;
  for (const TableName& table : tables) {
    for (const auto& row :
         target.exec_params(std::string(sql::kUnownedRelations), table.schema, table.name)) {
      const std::string name = TableName{row[0].c_str(), row[1].c_str()}.full();
      std::vector<std::string>& names = row[2].is_null() ? foreign : referencing;
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  if (!foreign.empty()) {
    throw Error(ErrorKind::refused, "tables that the target's user does not own")
        .detail("{}", fmt::join(foreign, ", "))
        .hint(
            "Only an owner may guard a table and set its triggers aside: make the user a member of "
            "the owning role, or ALTER TABLE .. OWNER TO it, or list the tables in tables.exclude. "
            "repld looks again every few seconds.")
        .sqlstate("42501")
        .table(foreign.front());
  }
  if (!referencing.empty()) {
    throw Error(ErrorKind::refused,
                "tables that the target's user does not own reference replicated ones")
        .detail("{}", fmt::join(referencing, ", "))
        .hint(
            "Only an owner may set their foreign keys aside: make the user a member of the owning "
            "role, or ALTER TABLE .. OWNER TO it, or drop the foreign keys. repld looks again "
            "every "
            "few seconds.")
        .sqlstate("42501")
        .table(referencing.front());
  }
}

}  // namespace

void require_primary(pg::Session& source) {
  if (source.exec("select pg_is_in_recovery()")[0][0].as<bool>()) {
    throw Error(ErrorKind::refused, "the source is a standby")
        .detail("its snapshots and positions are not those of the primary")
        .hint(
            "Let source.dsn name the primary; several hosts with target_session_attrs=read-write "
            "find it. repld goes on by itself once the server is one.");
  }
}

void require_decoding(pg::Session& source, bool publishes) {
  const char* const side = to_string(source.side());
  const auto row = source.exec(
      "select current_setting('wal_level'), current_setting('max_replication_slots')::int, "
      "(select count(*) from pg_replication_slots), "
      "has_database_privilege(current_database(), 'create'), quote_ident(current_database()), "
      "quote_ident(current_user)")[0];
  const std::string wal_level = row[0].c_str();
  if (wal_level != "logical") {
    throw Error(ErrorKind::refused, fmt::format("the {} cannot decode its WAL", side))
        .detail("wal_level is {}", wal_level)
        .hint(
            "Set wal_level = logical on the {} (in the provider's panel, or ALTER SYSTEM SET "
            "wal_level = 'logical') and restart it; repld goes on by itself.",
            side);
  }
  const int slots = row[1].as<int>();
  if (row[2].as<int>() >= slots) {
    throw Error(ErrorKind::refused, fmt::format("the {} has no free replication slot", side))
        .detail("all {} are in use", slots)
        .hint("{} repld goes on by itself.", advice_on_sqlstate("53400"))
        .sqlstate("53400");
  }
  if (publishes && !row[3].as<bool>()) {
    throw Error(ErrorKind::refused, fmt::format("the {}'s user may not create a publication", side))
        .detail("user {} has no right to create in database {}", row[5].c_str(), row[4].c_str())
        .hint(
            "As the database's owner run GRANT CREATE ON DATABASE {} TO {}; repld goes on by "
            "itself.",
            row[4].c_str(), row[5].c_str())
        .sqlstate("42501");
  }
}

void require_ready(pg::Session& source, pg::Session& target, const std::vector<SourceTable>& tables,
                   const std::vector<TableName>& targets, bool publishes) {
  require_decoding(source, publishes);
  require_tables_ready(source, target, tables, targets, publishes);
}

void require_tables_ready(pg::Session& source, pg::Session& target,
                          const std::vector<SourceTable>& tables,
                          const std::vector<TableName>& targets, bool publishes) {
  std::vector<TableName> sources;
  for (const SourceTable& table : tables) {
    // A partition's own policies count too when it is read by name, as the copy does.
    sources.push_back(table.name);
    for (const SourceLeaf& leaf : table.leaves) {
      if (leaf.name != table.name) {
        sources.push_back(leaf.name);
      }
    }
  }
  require_readable(source, tables, publishes);
  require_all_rows(source, sources);
  require_owned(target, targets);
  require_all_rows(target, targets);
}

std::optional<Error> cannot_reverse(const Settings& back) {
  pg::Session source(back.source);
  if (stream::read_slot(source, slot_name(back.config.link.name))) {
    return std::nullopt;  // whose it is, is found out by who arms it
  }
  try {
    require_primary(source);
    require_decoding(source, true);
    pg::ReplicationConnection(back.source).identify_system();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace repld::link
