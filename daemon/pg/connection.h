// One libpq connection, owned. The base of the replication, pipeline and copy connections.
//
// Blocking unless a derived class says otherwise. Errors carry SQLSTATE and object names; the
// server's own words only where the caller knows that no row value can be in them.
// One connection, one thread.
#pragma once

#include <libpq-fe.h>

#include <initializer_list>
#include <memory>
#include <string>

#include "core/error.h"
#include "pg/server.h"

namespace repld::pg {

struct ConnectionDeleter {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using ConnectionHandle = std::unique_ptr<PGconn, ConnectionDeleter>;

struct ResultDeleter {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultDeleter>;

struct CopyBufferDeleter {
  void operator()(char* buffer) const noexcept { PQfreemem(buffer); }
};
using CopyBuffer = std::unique_ptr<char, CopyBufferDeleter>;

// Whether the server's primary message may be repeated: not where it could quote a row.
enum class ServerWords { keep, drop };

class Connection {
 public:
  // Connects, with our settings. Throws Error(connect), with the reason but never the password.
  Connection(const Server& server, Purpose purpose);

  // Runs one statement (or, without parameters, several) and returns the last result.
  // Throws Error by SQLSTATE, or Error(connect) when the server went away.
  ResultHandle exec(const std::string& sql);
  ResultHandle exec(const std::string& sql, std::initializer_list<std::string> parameters);
  // exec() in two steps, for who has something to do until the answer is there.
  void ask(const std::string& sql);
  ResultHandle answer();

  int backend_pid() const { return PQbackendPID(handle_.get()); }
  int server_version() const { return PQserverVersion(handle_.get()); }
  Side side() const { return side_; }

 protected:
  PGconn* handle() const { return handle_.get(); }
  // Throws when `result` is an error.
  ResultHandle checked(ResultHandle result) const;
  [[noreturn]] void throw_lost() const;

 private:
  Side side_;
  ConnectionHandle handle_;
};

// Text of a result's field; empty when null.
std::string text(const ResultHandle& result, int row, int column);

// The Error that a failed result stands for: kind by SQLSTATE, table and constraint names.
Error error_of(const PGresult* result, ServerWords words);

}  // namespace repld::pg
