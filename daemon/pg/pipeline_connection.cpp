#include "pg/pipeline_connection.h"

#include <cstdlib>

namespace repld::pg {

PipelineConnection::PipelineConnection(const Server& server, Purpose purpose)
    : Connection(server, purpose) {}

void PipelineConnection::enter() {
  if (PQsetnonblocking(handle(), 1) != 0 || PQenterPipelineMode(handle()) != 1) {
    throw_lost();
  }
}

void PipelineConnection::check_sent(int sent) {
  if (sent != 1) {
    throw_lost();
  }
  ++owed_;
}

void PipelineConnection::prepare(const std::string& name, const std::string& sql) {
  check_sent(PQsendPrepare(handle(), name.c_str(), sql.c_str(), 0, nullptr));
}

void PipelineConnection::execute_prepared(const std::string& name,
                                          const std::vector<const char*>& values) {
  check_sent(PQsendQueryPrepared(handle(), name.c_str(), static_cast<int>(values.size()),
                                 values.data(), nullptr, nullptr, 0));
}

void PipelineConnection::execute(const std::string& sql, const std::vector<const char*>& values) {
  check_sent(PQsendQueryParams(handle(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                               values.empty() ? nullptr : values.data(), nullptr, nullptr, 0));
}

void PipelineConnection::sync() { check_sent(PQpipelineSync(handle())); }

bool PipelineConnection::flush() {
  const int left = PQflush(handle());
  if (left < 0) {
    throw_lost();
  }
  return left == 0;
}

ResultHandle PipelineConnection::take_result() {
  // A null separates the results of two commands; two in a row mean that none is there.
  for (int nulls = 0; owed_ > 0 && nulls < 2 && PQisBusy(handle()) == 0;) {
    ResultHandle result(PQgetResult(handle()));
    if (result != nullptr) {
      --owed_;
      return result;
    }
    ++nulls;
  }
  return nullptr;
}

ResultHandle PipelineConnection::try_result() {
  if (ResultHandle result = take_result()) {
    return result;
  }
  // Read also when nothing is owed: that is how an idle session learns that its server has gone.
  if (PQconsumeInput(handle()) != 1 || PQstatus(handle()) == CONNECTION_BAD) {
    throw_lost();
  }
  return take_result();
}

bool has_tag(const PGresult* result, std::string_view tag) {
  return PQresultStatus(result) == PGRES_COMMAND_OK &&
         tag == PQcmdStatus(const_cast<PGresult*>(result));
}

bool is_error(const PGresult* result) { return PQresultStatus(result) == PGRES_FATAL_ERROR; }

bool is_skipped(const PGresult* result) { return PQresultStatus(result) == PGRES_PIPELINE_ABORTED; }

bool is_sync(const PGresult* result) { return PQresultStatus(result) == PGRES_PIPELINE_SYNC; }

int64_t rows_touched(const PGresult* result) {
  return std::atoll(PQcmdTuples(const_cast<PGresult*>(result)));
}

}  // namespace repld::pg
