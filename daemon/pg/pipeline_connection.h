// A non-blocking connection in libpq's pipeline mode: statements go out without waiting, results
// come back in order.
//
// Source: PostgreSQL, "Pipeline Mode". Three things to know. After an error the server skips
// everything up to the next Sync, but an explicit transaction block stays open and failed. A
// COMMIT of a failed block answers COMMAND_OK with the tag ROLLBACK, so tags are to be checked.
// And libpq moves its whole output buffer on each send that the socket refuses, so a caller must
// flush before it queues more: send what is small, then call flush() until it returns true.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection.h"

namespace repld::pg {

class PipelineConnection : public Connection {
 public:
  // Connected, still in ordinary mode: exec() works until enter().
  PipelineConnection(const Server& server, Purpose purpose);

  void enter();

  // Each queues one command and owes one result.
  void prepare(const std::string& name, const std::string& sql);
  void execute_prepared(const std::string& name, const std::vector<const char*>& values);
  void execute(const std::string& sql, const std::vector<const char*>& values = {});
  void sync();

  // Hands queued bytes to the kernel; false when the socket took only part of them.
  bool flush();
  // The next result in order if it has arrived, else null. Throws Error(connect) when the
  // connection is gone. A failed statement's result is returned, not thrown.
  ResultHandle try_result();

  // Results that are still to come.
  size_t owed() const { return owed_; }
  int socket() const { return PQsocket(handle()); }

 private:
  void check_sent(int sent);
  ResultHandle take_result();  // of what has been read

  size_t owed_ = 0;
};

// True when the command succeeded and its tag is exactly `tag` ("COMMIT").
bool has_tag(const PGresult* result, std::string_view tag);
bool is_error(const PGresult* result);    // failed itself
bool is_skipped(const PGresult* result);  // not run: an earlier one failed
bool is_sync(const PGresult* result);
int64_t rows_touched(const PGresult* result);

}  // namespace repld::pg
