#include "pg/snapshot.h"

#include "core/sql_text.h"

namespace repld::pg {

namespace {

std::string statement(const std::string& snapshot) {
  return "set transaction snapshot " + quote_literal(snapshot);
}

// Version 15 takes the name for invalid (libpqxx 6 keeps its class only), 17 finds no such object.
bool says_gone(const std::string& sqlstate) {
  return sqlstate == "22023" || sqlstate == "22000" || sqlstate == "42704";
}

Error gone(const std::string& sqlstate) {
  Error error(ErrorKind::connect, "the snapshot of the copy is gone");
  return error.detail("the source ended the session that exported it; the copy starts again")
      .sqlstate(sqlstate);
}

}  // namespace

void import_snapshot(Connection& connection, const std::string& snapshot) {
  try {
    connection.exec(statement(snapshot));
  } catch (const Error& error) {
    if (says_gone(error.sqlstate())) {
      throw gone(error.sqlstate());
    }
    throw;
  }
}

void import_snapshot(pqxx::transaction_base& transaction, const std::string& snapshot) {
  try {
    transaction.exec(statement(snapshot));
  } catch (const pqxx::sql_error& failure) {
    const std::string sqlstate = sqlstate_of(failure);
    if (says_gone(sqlstate)) {
      throw gone(sqlstate);
    }
    throw;
  }
}

}  // namespace repld::pg
