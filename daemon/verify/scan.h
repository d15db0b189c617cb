// One side of a comparison: a session that stands in a read-only transaction.
//
// Rows come by COPY, so that they stream, parallel plans are possible, and what the server says of
// a row that it cannot print stays out of our errors.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/verify_table.h"
#include "pg/copy_connection.h"

namespace repld::verify {

// What the caller has opened: begun, repeatable read, read only, with the snapshot taken. Whoever
// wants no TRUNCATE between that and the comparison has locked the tables before.
struct Endpoint {
  pg::Server server;  // where a statement of the session can be interrupted from
  pg::CopyConnection& connection;
};

// By column; of the first part.
std::map<std::string, ColumnType> column_types(pg::CopyConnection& connection,
                                               const std::vector<TablePart>& parts);

class Scan {
 public:
  explicit Scan(Endpoint endpoint);

  // From then on the parts are neither truncated nor rewritten. False when they have been since the
  // snapshot was taken, so that it does not show their rows.
  bool lock(const std::vector<TablePart>& parts);
  // The same of what the lock does not keep away.
  bool unchanged(const std::vector<TablePart>& parts);
  std::map<std::string, ColumnType> column_types(const std::vector<TablePart>& parts) {
    return verify::column_types(connection(), parts);
  }
  int64_t row_estimate(const std::vector<TablePart>& parts);

  void begin(const std::string& copy);
  // The view lives until the next call. Throws Error(connect) once stopped.
  std::optional<std::string_view> read(const std::stop_token& stop);

  // From any thread: ends the statement that runs now, or the session when none does. The
  // transaction is then lost, with its locks.
  void interrupt() const;

  pg::CopyConnection& connection() { return endpoint_.connection; }
  int64_t bytes() const { return bytes_; }  // of rows read

 private:
  Endpoint endpoint_;
  std::string backend_;  // a condition on pg_stat_activity
  int64_t bytes_ = 0;
};

}  // namespace repld::verify
