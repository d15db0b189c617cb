// A walsender's other end: replication commands, then frames in both directions.
//
// Source: PostgreSQL, "Streaming Replication Protocol".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/lsn.h"
#include "pg/connection.h"

namespace repld::pg {

struct SystemIdentity {
  std::string system_identifier;
  int timeline = 0;
  Lsn flushed = Lsn::invalid;
  std::string database;
};

struct CreatedSlot {
  Lsn consistent_point = Lsn::invalid;
  std::string snapshot;  // valid until the next command on this connection
};

class ReplicationConnection : public Connection {
 public:
  // Throws Error(connect) also when it is no walsender that answers.
  explicit ReplicationConnection(const Server& server);

  SystemIdentity identify_system();
  // The server's wal_sender_timeout in milliseconds; 0 when it has none.
  int wal_sender_timeout_ms();

  // Waits for transactions that run now; the snapshot shows exactly what was committed before
  // the consistent point.
  CreatedSlot create_slot(const std::string& name);
  // Of the walsender: its pid and when it began. No other backend has or had the same.
  std::string backend();

  // Begins to stream what commits at or after `from`. From here on only the calls below.
  void start(const std::string& slot, Lsn from, const std::vector<std::string>& publications);

  // One frame if it has arrived, else nothing. The view lives until the next call.
  // Throws Error when the server ended the stream.
  std::optional<std::string_view> next_frame();
  // Queues and tries to send; needs_write() says whether the socket took all of it.
  void send(const std::string& frame);
  bool flush();  // true when nothing is left to send
  int socket() const { return PQsocket(handle()); }

 private:
  CopyBuffer frame_;
};

}  // namespace repld::pg
