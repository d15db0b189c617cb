// COPY in either direction, blocking.
//
// Source: PostgreSQL, "Functions Associated with the COPY Command". Errors of a COPY carry
// SQLSTATE and names only: the server's words may quote a row.
#pragma once

#include <optional>
#include <string_view>

#include "pg/connection.h"

namespace repld::pg {

class CopyConnection : public Connection {
 public:
  explicit CopyConnection(const Server& server) : Connection(server, Purpose::copy) {}

  // COPY .. TO STDOUT or FROM STDIN.
  void begin(const std::string& copy);

  // The next row as the server sent it; nothing at the end. The view lives until the next call.
  std::optional<std::string_view> read();
  void write(std::string_view bytes);
  void end_input();

  // After read() returned nothing, or end_input(): how many rows the server counted.
  int64_t finish();

 private:
  CopyBuffer row_;
};

}  // namespace repld::pg
