#include "pg/connect_error.h"

#include <libpq-fe.h>

#include <chrono>
#include <memory>

#include "base/wakeup.h"
#include "core/connect_advice.h"

namespace repld::pg {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAskTimeout{5};

ConnectFailure describe(const Server& server, Purpose purpose) {
  const Parameters parameters = connection_parameters(server, purpose);
  ConnectFailure failure;
  failure.side = server.side;
  failure.replication = purpose == Purpose::replication;
  failure.host = value_of(parameters, "host");
  failure.port = value_of(parameters, "port");
  failure.user = value_of(parameters, "user");
  failure.database = value_of(parameters, "dbname");
  failure.root_certificate = value_of(parameters, "sslrootcert");
  return failure;
}

Error error_for(const ConnectFailure& failure) {
  const ConnectAdvice advice = advise(failure);
  Error error(ErrorKind::connect, fmt::format("cannot connect to the {}", to_string(failure.side)));
  error.detail("{}", last_attempt(failure.message));
  if (!advice.hint.empty()) {
    error.hint("{}", advice.hint);
  }
  return error.sqlstate(advice.sqlstate).lasting(advice.lasting);
}

// "FATAL:  28P01", in any language; what a client says itself has no code.
std::string code_in(const std::string& text) {
  const std::string line = last_attempt(text);
  const size_t at = line.rfind(":  ");
  const std::string code = at == std::string::npos ? "" : line.substr(at + 3);
  const bool plausible =
      code.size() == 5 &&
      code.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
  return plausible ? code : "";
}

}  // namespace

std::string refusal_sqlstate(const Server& server, Purpose purpose) {
  const Parameters parameters = connection_parameters(server, purpose);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectStartParams(keywords.data(), values.data(), 0), PQfinish);
  if (connection == nullptr || PQstatus(connection.get()) == CONNECTION_BAD) {
    return {};
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_SQLSTATE);
  const auto until = Clock::now() + kAskTimeout;
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) {
      return {};
    }
    poll_socket(PQsocket(connection.get()), wanted == PGRES_POLLING_WRITING,
                static_cast<int>(left));
    wanted = PQconnectPoll(connection.get());
  }
  return wanted == PGRES_POLLING_OK ? "" : code_in(PQerrorMessage(connection.get()));
}

Error connect_error(const Server& server, Purpose purpose, const std::string& message) {
  ConnectFailure failure = describe(server, purpose);
  failure.message = message;
  // Two spaces follow the severity of what a server says.
  const bool server_spoke = last_attempt(message).find(":  ") != std::string::npos;
  const ConnectAdvice advice = advise(failure);
  if (server_spoke && advice.sqlstate.empty() && advice.hint.empty()) {
    failure.sqlstate = refusal_sqlstate(server, purpose);
  }
  return error_for(failure);
}

Error pooler_error(const Server& server) {
  ConnectFailure failure = describe(server, Purpose::replication);
  failure.message = "unsupported startup parameter";
  Error error(ErrorKind::connect, fmt::format("the {} does not speak the replication protocol",
                                              to_string(server.side)));
  return error.hint("{}", advise(failure).hint).lasting(true);
}

}  // namespace repld::pg
