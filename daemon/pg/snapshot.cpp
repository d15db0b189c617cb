#include "pg/snapshot.h"

#include "core/sql_text.h"

namespace repld::pg {

namespace {

// One round trip.
std::string statement(const ExportedSnapshot& snapshot) {
  return "set transaction snapshot " + quote_literal(snapshot.name) +
         "; select pg_current_snapshot()";
}

std::string checked(std::string content, const ExportedSnapshot& snapshot) {
  if (!snapshot.content.empty() && content != snapshot.content) {
    throw Error(ErrorKind::connect, "an imported snapshot shows another state than was exported")
        .detail("exported {}, imported {}", snapshot.content, content)
        .hint(
            "Sessions must reach one server: let the DSN name it, not a pooler or several hosts.");
  }
  return content;
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

std::string import_snapshot(Connection& connection, const ExportedSnapshot& snapshot) {
  try {
    return checked(text(connection.exec(statement(snapshot)), 0, 0), snapshot);
  } catch (const Error& error) {
    if (says_gone(error.sqlstate())) {
      throw gone(error.sqlstate());
    }
    throw;
  }
}

std::string import_snapshot(pqxx::transaction_base& transaction, const ExportedSnapshot& snapshot) {
  try {
    return checked(transaction.exec(statement(snapshot))[0][0].c_str(), snapshot);
  } catch (const pqxx::sql_error& failure) {
    const std::string sqlstate = sqlstate_of(failure);
    if (says_gone(sqlstate)) {
      throw gone(sqlstate);
    }
    throw;
  }
}

}  // namespace repld::pg
