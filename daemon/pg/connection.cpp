#include "pg/connection.h"

#include <vector>

#include "core/connect_advice.h"
#include "pg/connect_error.h"
#include "pg/pinned.h"
#include "pg/sqlstate.h"

namespace repld::pg {

namespace {

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Connection::Connection(const Server& server, Purpose purpose) : side_(server.side) {
  const auto parameters = connection_parameters(server, purpose);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  handle_.reset(PQconnectdbParams(keywords.data(), values.data(), 0));
  if (handle_ == nullptr || PQstatus(handle_.get()) != CONNECTION_OK) {
    throw connect_error(server, purpose, handle_ ? PQerrorMessage(handle_.get()) : "out of memory");
  }
  // A user's function may put a row into a warning, and libpq would print it to our log.
  PQsetNoticeReceiver(
      handle_.get(), [](void*, const PGresult*) {}, nullptr);
  require_pinned(text(exec(pinned_sql(server_version())), 0, 0), server);
}

ResultHandle Connection::checked(ResultHandle result) const {
  if (result == nullptr || PQstatus(handle()) == CONNECTION_BAD) {
    throw_lost();
  }
  switch (PQresultStatus(result.get())) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH: return result;
    default: throw error_of(result.get(), ServerWords::keep);
  }
}

void Connection::throw_lost() const {
  throw Error(ErrorKind::connect, fmt::format("connection to the {} was lost", to_string(side_)))
      .detail("{}", first_line(PQerrorMessage(handle())));
}

ResultHandle Connection::exec(const std::string& sql) {
  return checked(ResultHandle(PQexec(handle(), sql.c_str())));
}

ResultHandle Connection::exec(const std::string& sql,
                              std::initializer_list<std::string> parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) {
    values.push_back(parameter.c_str());
  }
  return checked(ResultHandle(PQexecParams(handle(), sql.c_str(), static_cast<int>(values.size()),
                                           nullptr, values.data(), nullptr, nullptr, 0)));
}

void Connection::ask(const std::string& sql) {
  if (PQsendQuery(handle(), sql.c_str()) == 0) {
    throw_lost();
  }
}

ResultHandle Connection::answer() {
  ResultHandle last;
  while (ResultHandle next{PQgetResult(handle())}) {
    last = std::move(next);
  }
  return checked(std::move(last));
}

std::string text(const ResultHandle& result, int row, int column) {
  return PQgetvalue(result.get(), row, column);
}

Error error_of(const PGresult* result, ServerWords words) {
  const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) {
    return Error(ErrorKind::connect, first_line(PQresultErrorMessage(result)));
  }
  const std::string constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  const std::string column = field(result, PG_DIAG_COLUMN_NAME);
  Error error(kind_of_sqlstate(sqlstate),
              words == ServerWords::keep
                  ? field(result, PG_DIAG_MESSAGE_PRIMARY)
                  : fmt::format("the server refused a row with SQLSTATE {}", sqlstate));
  error.sqlstate(sqlstate);
  if (!field(result, PG_DIAG_TABLE_NAME).empty()) {
    error.table(field(result, PG_DIAG_SCHEMA_NAME) + "." + field(result, PG_DIAG_TABLE_NAME));
  }
  if (const std::string advice = advice_on_sqlstate(sqlstate); !advice.empty()) {
    error.hint("{}", advice);
  }
  if (!constraint.empty()) {
    error.detail("constraint \"{}\"", constraint);
  } else if (!column.empty()) {
    error.detail("column \"{}\"", column);
  }
  return error;
}

}  // namespace repld::pg
