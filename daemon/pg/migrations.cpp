#include "pg/migrations.h"

#include <algorithm>

#include "embedded_sql.h"

namespace repld::pg {

namespace {

int newest_version() {
  int newest = 0;
  for (const sql::Migration& migration : sql::kMigrations) {
    newest = std::max(newest, migration.version);
  }
  return newest;
}

// From the catalogs themselves: to_regclass() asks a cache, which a session that has waited for an
// advisory lock finds as it was before, without what the lock's holder made.
int current_version(pqxx::transaction_base& transaction) {
  if (transaction
          .exec("select from pg_class where relname = 'migration' and relnamespace = "
                "(select oid from pg_namespace where nspname = 'repld')")
          .empty()) {
    return 0;
  }
  return transaction.exec("select coalesce(max(version), 0) from repld.migration")[0][0].as<int>();
}

void require_not_newer(int version) {
  if (version > newest_version()) {
    throw Error(ErrorKind::schema, "schema repld is newer than this program")
        .detail("it has version {}, this program knows {}", version, newest_version())
        .hint("Run the newer repld.");
  }
}

// Asked before it is made: CREATE SCHEMA IF NOT EXISTS wants the right also where it exists.
void ensure_schema(pqxx::transaction_base& transaction, Side side) {
  const auto row = transaction.exec(
      "select to_regnamespace('repld') is not null, "
      "has_database_privilege(current_database(), 'create'), quote_ident(current_database()), "
      "quote_ident(current_user)")[0];
  if (row[0].as<bool>()) {
    return;
  }
  if (!row[1].as<bool>()) {
    throw Error(ErrorKind::schema,
                fmt::format("schema repld cannot be made on the {}", to_string(side)))
        .detail("user {} may not create schemas in database {}", row[3].c_str(), row[2].c_str())
        .hint(
            "As the database's owner run GRANT CREATE ON DATABASE {} TO {}, or CREATE SCHEMA repld "
            "AUTHORIZATION {}; then run replctl resume.",
            row[2].c_str(), row[3].c_str(), row[3].c_str())
        .sqlstate("42501");
  }
  transaction.exec("create schema repld");
}

}  // namespace

void require_not_newer(Session& session) {
  require_not_newer(session.transact(
      [](pqxx::transaction_base& transaction) { return current_version(transaction); }));
}

void migrate(Session& session) {
  // Most often there is nothing to do, and no reason to ask for it version by version.
  const bool done = session.transact([](pqxx::transaction_base& transaction) {
    return current_version(transaction) == newest_version();
  });
  if (done) {
    return;
  }
  for (const sql::Migration& migration : sql::kMigrations) {
    session.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec("select pg_advisory_xact_lock(hashtextextended('repld.migration', 0))");
      const int version = current_version(transaction);
      require_not_newer(version);
      if (version >= migration.version) {
        return;
      }
      ensure_schema(transaction, session.side());
      transaction.exec(
          "create table if not exists repld.migration (version integer primary key, "
          "name text not null, at timestamptz not null default now())");
      transaction.exec(std::string(migration.text));
      transaction.exec_params("insert into repld.migration values ($1, $2)", migration.version,
                              std::string(migration.name));
    });
  }
}

}  // namespace repld::pg
