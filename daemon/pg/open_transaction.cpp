#include "pg/open_transaction.h"

#include "pg/connect_error.h"
#include "pg/pinned.h"

namespace repld::pg {

namespace {

pqxx::connection connect(const Server& server) {
  try {
    return pqxx::connection(connection_string(server, Purpose::control));
  } catch (const std::exception& failure) {
    throw connect_error(server, Purpose::control, failure.what());
  }
}

}  // namespace

OpenTransaction::OpenTransaction(const Server& server)
    : side_(server.side), connection_(connect(server)) {
  begin();
  const auto answer = run([&](pqxx::work& transaction) {
    return transaction.exec(pinned_sql(connection_.server_version()))[0][0].as<std::string>("");
  });
  require_pinned(answer, server);
  commit();
}

void OpenTransaction::begin() {
  try {
    work_ = std::make_unique<pqxx::work>(connection_);
  } catch (...) {
    rethrow_as_error(side_);
  }
}

void OpenTransaction::commit() {
  run([](pqxx::work& transaction) { transaction.commit(); });
  work_.reset();
}

}  // namespace repld::pg
