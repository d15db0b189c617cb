#include "pg/session.h"

#include "core/connect_advice.h"
#include "pg/connect_error.h"
#include "pg/pinned.h"
#include "pg/sqlstate.h"

namespace repld::pg {

namespace {

std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  const std::string prefix = "ERROR:  ";
  return line.rfind(prefix, 0) == 0 ? line.substr(prefix.size()) : line;
}

pqxx::connection connect(const Server& server, Purpose purpose) {
  try {
    return pqxx::connection(connection_string(server, purpose));
  } catch (const std::exception& failure) {
    throw connect_error(server, purpose, failure.what());
  }
}

template <typename Exception>
bool is(const pqxx::sql_error& failure) {
  return dynamic_cast<const Exception*>(&failure) != nullptr;
}

Error lost(Side side, const std::exception& failure) {
  Error error(ErrorKind::connect, fmt::format("connection to the {} was lost", to_string(side)));
  error.detail("{}", first_line(failure.what()));
  return error;
}

}  // namespace

std::string sqlstate_of(const pqxx::sql_error& failure) {
  if (!failure.sqlstate().empty()) return failure.sqlstate();
  // Derived types before their bases.
  if (is<pqxx::undefined_table>(failure)) return "42P01";
  if (is<pqxx::undefined_column>(failure)) return "42703";
  if (is<pqxx::undefined_function>(failure)) return "42883";
  if (is<pqxx::syntax_error>(failure)) return "42601";
  if (is<pqxx::insufficient_privilege>(failure)) return "42501";
  if (is<pqxx::feature_not_supported>(failure)) return "0A000";
  if (is<pqxx::unique_violation>(failure)) return "23505";
  if (is<pqxx::foreign_key_violation>(failure)) return "23503";
  if (is<pqxx::not_null_violation>(failure)) return "23502";
  if (is<pqxx::check_violation>(failure)) return "23514";
  if (is<pqxx::integrity_constraint_violation>(failure)) return "23000";
  if (is<pqxx::data_exception>(failure)) return "22000";
  if (is<pqxx::disk_full>(failure)) return "53100";
  if (is<pqxx::out_of_memory>(failure)) return "53200";
  if (is<pqxx::insufficient_resources>(failure)) return "53000";
  if (is<pqxx::plpgsql_error>(failure)) return "P0001";
  return {};
}

void rethrow_as_error(Side side) {
  try {
    throw;
  } catch (const pqxx::broken_connection& failure) {
    throw lost(side, failure);
  } catch (const pqxx::in_doubt_error& failure) {
    throw lost(side, failure);
  } catch (const pqxx::transaction_rollback& failure) {
    // Deadlocks and serialization failures: the next try may pass.
    throw Error(ErrorKind::connect,
                fmt::format("{}: {}", to_string(side), first_line(failure.what())))
        .sqlstate("40000");
  } catch (const pqxx::sql_error& failure) {
    const std::string sqlstate = sqlstate_of(failure);
    Error error(kind_of_sqlstate(sqlstate),
                fmt::format("{}: {}", to_string(side), first_line(failure.what())));
    if (const std::string advice = advice_on_sqlstate(sqlstate); !advice.empty()) {
      error.hint("{}", advice);
    }
    throw error.sqlstate(sqlstate);
  } catch (const pqxx::failure& failure) {
    throw Error(ErrorKind::internal,
                fmt::format("{}: {}", to_string(side), first_line(failure.what())));
  }
}

void Session::cancel() noexcept {
  try {
    connection_.cancel_query();
  } catch (const std::exception&) {
    // The connection is gone, and the statement with it.
  }
}

Session::Session(const Server& server, Purpose purpose)
    : side_(server.side), connection_(connect(server, purpose)) {
  if (purpose != Purpose::unpinned) {
    require_pinned(exec(pinned_sql(server_version()))[0][0].c_str(), server);
  }
}

}  // namespace repld::pg
