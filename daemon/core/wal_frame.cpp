#include "core/wal_frame.h"

#include "core/byte_reader.h"

namespace repld {

namespace {

WalData read_wal_data(std::string_view body) {
  ByteReader in(body, "XLogData frame");
  WalData frame;
  frame.start = in.lsn();
  frame.wal_end = in.lsn();
  frame.server_time_us = in.int64();
  frame.payload = in.rest();
  return frame;
}

Keepalive read_keepalive(std::string_view body) {
  ByteReader in(body, "keepalive frame");
  Keepalive frame;
  frame.wal_end = in.lsn();
  frame.server_time_us = in.int64();
  frame.reply_requested = in.flag();
  in.expect_end();
  return frame;
}

void append_int64(std::string& bytes, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

}  // namespace

WalFrame decode_wal_frame(std::string_view bytes) {
  if (bytes.empty()) {
    throw Error(ErrorKind::protocol, "empty replication frame");
  }
  const std::string_view body = bytes.substr(1);
  switch (bytes.front()) {
    case 'w': return read_wal_data(body);
    case 'k': return read_keepalive(body);
    default: break;
  }
  throw Error(ErrorKind::protocol, "replication frame of unknown type")
      .detail("type byte 0x{:02x}", static_cast<unsigned char>(bytes.front()));
}

std::string encode(const StandbyStatus& status) {
  std::string bytes(1, 'r');
  append_int64(bytes, static_cast<uint64_t>(status.written));
  append_int64(bytes, static_cast<uint64_t>(status.flushed));
  append_int64(bytes, static_cast<uint64_t>(status.applied));
  append_int64(bytes, static_cast<uint64_t>(status.client_time_us));
  bytes.push_back('\0');  // no reply requested
  return bytes;
}

}  // namespace repld
