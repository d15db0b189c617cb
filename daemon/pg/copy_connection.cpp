#include "pg/copy_connection.h"

#include <cstdlib>

namespace repld::pg {

void CopyConnection::begin(const std::string& copy) {
  const ResultHandle result = exec(copy);
  const ExecStatusType status = PQresultStatus(result.get());
  REPLD_ASSERT(status == PGRES_COPY_IN || status == PGRES_COPY_OUT);
}

std::optional<std::string_view> CopyConnection::read() {
  char* buffer = nullptr;
  const int length = PQgetCopyData(handle(), &buffer, 0);
  if (length > 0) {
    row_.reset(buffer);
    return std::string_view(buffer, static_cast<size_t>(length));
  }
  if (length == -2) {
    throw_lost();
  }
  return std::nullopt;
}

void CopyConnection::write(std::string_view bytes) {
  if (PQputCopyData(handle(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw_lost();
  }
}

void CopyConnection::end_input() {
  if (PQputCopyEnd(handle(), nullptr) != 1) {
    throw_lost();
  }
}

int64_t CopyConnection::finish() {
  const ResultHandle result(PQgetResult(handle()));
  if (result == nullptr || PQstatus(handle()) == CONNECTION_BAD) {
    throw_lost();
  }
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    throw error_of(result.get(), ServerWords::drop);
  }
  const int64_t rows = std::atoll(PQcmdTuples(result.get()));
  // The null that ends the command.
  const ResultHandle end(PQgetResult(handle()));
  return rows;
}

}  // namespace repld::pg
