#include "verify/scan.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "core/verify_sql.h"
#include "pg/session.h"

namespace repld::verify {

// The sums of 65,536 buckets and the sorting of a few stay in memory.
// Behind the application's DDL we do not wait for long: the snapshots would grow old.
constexpr const char* kSettings = "set local work_mem = '32MB'; set local lock_timeout = '3s'";

Scan::Scan(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
  // Not PQbackendPID: a pooler makes up its own.
  const auto row = connection().exec(
      "select pid, extract(epoch from backend_start) from pg_stat_activity "
      "where pid = pg_backend_pid()");
  backend_ = fmt::format("pid = {} and extract(epoch from backend_start) = {}", pg::text(row, 0, 0),
                         pg::text(row, 0, 1));
  connection().exec(kSettings);
}

bool Scan::lock(const std::vector<TablePart>& parts) {
  // One round trip.
  const auto answer = connection().exec(lock_statement(parts) + "; " + unchanged_query(parts));
  return pg::text(answer, 0, 0) == "t";
}

std::map<std::string, ColumnType> column_types(pg::CopyConnection& connection,
                                               const std::vector<TablePart>& parts) {
  const auto rows = connection.exec(column_types_query(parts));
  std::map<std::string, ColumnType> types;
  for (int i = 0; i < PQntuples(rows.get()); ++i) {
    const auto oid = std::strtoul(pg::text(rows, i, 1).c_str(), nullptr, 10);
    types[pg::text(rows, i, 0)] = {static_cast<uint32_t>(oid), pg::text(rows, i, 2) == "t"};
  }
  return types;
}

int64_t Scan::row_estimate(const std::vector<TablePart>& parts) {
  return std::atoll(pg::text(connection().exec(row_estimate_query(parts)), 0, 0).c_str());
}

bool Scan::unchanged(const std::vector<TablePart>& parts) {
  return pg::text(connection().exec(unchanged_query(parts)), 0, 0) == "t";
}

void Scan::begin(const std::string& copy) { connection().begin(copy); }

std::optional<std::string_view> Scan::read(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    throw Error(ErrorKind::connect, "stopped");
  }
  const auto row = connection().read();
  if (!row) {
    connection().finish();
    return std::nullopt;
  }
  bytes_ += static_cast<int64_t>(row->size());
  return row;
}

void Scan::interrupt() const {
  try {
    // Between two statements there is nothing to cancel, and the locks would stay for as long as
    // the other side takes.
    pg::Session(endpoint_.server)
        .exec(
            "select case when state = 'idle in transaction' then pg_terminate_backend(pid) "
            "else pg_cancel_backend(pid) end from pg_stat_activity where " +
            backend_);
  } catch (const Error& error) {
    // A server that takes no session now: the statement ends by itself, or we are called again.
    if (error.kind() != ErrorKind::connect) {
      throw;
    }
  }
}

}  // namespace repld::verify
