// The frames inside CopyData of a replication connection.
//
// Source: PostgreSQL, "Streaming Replication Protocol", START_REPLICATION.
//
//   w  int64 start  int64 wal_end  int64 server_time  payload      XLogData, from the server
//   k  int64 wal_end  int64 server_time  int8 reply_requested      keepalive, from the server
//   r  int64 written  int64 flushed  int64 applied  int64 client_time  int8 reply_requested
//
// Times are microseconds since 2000-01-01 UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/lsn.h"

namespace repld {

struct WalData {
  Lsn start = Lsn::invalid;
  Lsn wal_end = Lsn::invalid;
  int64_t server_time_us = 0;
  std::string_view payload;  // borrows from the frame
};
struct Keepalive {
  Lsn wal_end = Lsn::invalid;
  int64_t server_time_us = 0;
  bool reply_requested = false;
};
using WalFrame = std::variant<WalData, Keepalive>;

// Throws Error(protocol).
WalFrame decode_wal_frame(std::string_view bytes);

struct StandbyStatus {
  Lsn written = Lsn::invalid;
  Lsn flushed = Lsn::invalid;  // becomes the slot's confirmed_flush_lsn
  Lsn applied = Lsn::invalid;
  int64_t client_time_us = 0;
};
std::string encode(const StandbyStatus& status);

}  // namespace repld
