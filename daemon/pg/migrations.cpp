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

int current_version(pqxx::transaction_base& transaction) {
  if (transaction.exec("select to_regclass('repld.migration')")[0][0].is_null()) {
    return 0;
  }
  return transaction.exec("select coalesce(max(version), 0) from repld.migration")[0][0].as<int>();
}

}  // namespace

void migrate(Session& session) {
  for (const sql::Migration& migration : sql::kMigrations) {
    session.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec("select pg_advisory_xact_lock(hashtextextended('repld.migration', 0))");
      const int version = current_version(transaction);
      if (version > newest_version()) {
        throw Error(ErrorKind::schema, "schema repld is newer than this program")
            .detail("it has version {}, this program knows {}", version, newest_version())
            .hint("Run the newer repld.");
      }
      if (version >= migration.version) {
        return;
      }
      transaction.exec("create schema if not exists repld");
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
