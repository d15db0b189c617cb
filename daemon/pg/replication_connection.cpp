#include "pg/replication_connection.h"

#include <cstdlib>

#include "core/sql_text.h"
#include "pg/connect_error.h"

namespace repld::pg {

namespace {

constexpr const char* kSyntaxError = "42601";

}  // namespace

ReplicationConnection::ReplicationConnection(const Server& server)
    : Connection(server, Purpose::replication) {
  // A pooler that drops the wish to replicate silently hands this to an ordinary session.
  try {
    identify_system();
  } catch (const Error& error) {
    if (error.sqlstate() == kSyntaxError) {
      throw pooler_error(server);
    }
    throw;
  }
}

SystemIdentity ReplicationConnection::identify_system() {
  const ResultHandle result = exec("IDENTIFY_SYSTEM");
  return {text(result, 0, 0), std::atoi(text(result, 0, 1).c_str()), parse_lsn(text(result, 0, 2)),
          text(result, 0, 3)};
}

int ReplicationConnection::wal_sender_timeout_ms() {
  const ResultHandle result =
      exec("select setting from pg_catalog.pg_settings where name = 'wal_sender_timeout'");
  return std::atoi(text(result, 0, 0).c_str());
}

CreatedSlot ReplicationConnection::create_slot(const std::string& name) {
  const ResultHandle result = exec(fmt::format(
      "CREATE_REPLICATION_SLOT {} LOGICAL pgoutput EXPORT_SNAPSHOT", quote_identifier(name)));
  return {parse_lsn(text(result, 0, 1)), text(result, 0, 2)};
}

std::string ReplicationConnection::backend() {
  const ResultHandle result = exec(
      "select pid || '/' || extract(epoch from backend_start) from pg_catalog.pg_stat_activity "
      "where pid = pg_catalog.pg_backend_pid()");
  return text(result, 0, 0);
}

void ReplicationConnection::start(const std::string& slot, Lsn from,
                                  const std::vector<std::string>& publications) {
  std::vector<std::string> names;
  for (const std::string& publication : publications) {
    names.push_back(quote_identifier(publication));
  }
  const ResultHandle result =
      exec(fmt::format("START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', messages 'true', "
                       "publication_names {})",
                       quote_identifier(slot), to_string(from),
                       quote_literal(fmt::format("{}", fmt::join(names, ",")))));
  if (PQresultStatus(result.get()) != PGRES_COPY_BOTH || PQsetnonblocking(handle(), 1) != 0) {
    throw Error(ErrorKind::protocol, "the source did not start to stream");
  }
}

std::optional<std::string_view> ReplicationConnection::next_frame() {
  char* buffer = nullptr;
  int length = PQgetCopyData(handle(), &buffer, 1);
  if (length == 0) {
    if (PQconsumeInput(handle()) != 1) {
      throw_lost();
    }
    length = PQgetCopyData(handle(), &buffer, 1);
  }
  if (length > 0) {
    frame_.reset(buffer);
    return std::string_view(buffer, static_cast<size_t>(length));
  }
  if (length == 0) {
    return std::nullopt;
  }
  if (length == -1) {
    // The server ended the copy: either with an error, or because it shuts down.
    checked(ResultHandle(PQgetResult(handle())));
    throw Error(ErrorKind::connect, "the source ended the stream");
  }
  throw_lost();
}

void ReplicationConnection::send(const std::string& frame) {
  if (PQputCopyData(handle(), frame.data(), static_cast<int>(frame.size())) < 0) {
    throw_lost();
  }
  flush();
}

bool ReplicationConnection::flush() {
  const int left = PQflush(handle());
  if (left < 0) {
    throw_lost();
  }
  return left == 0;
}

}  // namespace repld::pg
