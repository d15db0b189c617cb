#include "pg/session.h"

#include "pg/sqlstate.h"

namespace repld::pg {

namespace {

std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  const std::string prefix = "ERROR:  ";
  return line.rfind(prefix, 0) == 0 ? line.substr(prefix.size()) : line;
}

pqxx::connection connect(const Server& server) {
  try {
    return pqxx::connection(connection_string(server, Purpose::control));
  } catch (const std::exception& failure) {
    throw Error(ErrorKind::connect, fmt::format("cannot connect to the {}", to_string(server.side)))
        .detail("{}", first_line(failure.what()));
  }
}

}  // namespace

void rethrow_as_error(Side side) {
  try {
    throw;
  } catch (const pqxx::broken_connection& failure) {
    throw Error(ErrorKind::connect, fmt::format("connection to the {} was lost", to_string(side)))
        .detail("{}", first_line(failure.what()));
  } catch (const pqxx::in_doubt_error& failure) {
    throw Error(ErrorKind::connect, fmt::format("connection to the {} was lost", to_string(side)))
        .detail("{}", first_line(failure.what()));
  } catch (const pqxx::sql_error& failure) {
    throw Error(kind_of_sqlstate(failure.sqlstate()),
                fmt::format("{}: {}", to_string(side), first_line(failure.what())))
        .sqlstate(failure.sqlstate());
  } catch (const pqxx::failure& failure) {
    throw Error(ErrorKind::internal,
                fmt::format("{}: {}", to_string(side), first_line(failure.what())));
  }
}

Session::Session(const Server& server) : side_(server.side), connection_(connect(server)) {}

}  // namespace repld::pg
