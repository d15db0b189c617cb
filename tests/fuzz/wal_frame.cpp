#include "core/wal_frame.h"

#include <stdexcept>

#include "core/error.h"
#include "fuzz/targets.h"
#include "unit/wire_bytes.h"

namespace repld::fuzz {

namespace {

using repld::testing::WireBytes;

int64_t number(Lsn lsn) { return static_cast<int64_t>(lsn); }

std::string written_again(const WalFrame& frame) {
  if (const auto* data = std::get_if<WalData>(&frame)) {
    return WireBytes()
        .tag('w')
        .int64(number(data->start))
        .int64(number(data->wal_end))
        .int64(data->server_time_us)
        .raw(data->payload)
        .str();
  }
  const auto& keepalive = std::get<Keepalive>(frame);
  return WireBytes()
      .tag('k')
      .int64(number(keepalive.wal_end))
      .int64(keepalive.server_time_us)
      .int8(keepalive.reply_requested ? 1 : 0)
      .str();
}

}  // namespace

bool run_wal_frame(std::string_view bytes) {
  try {
    if (written_again(decode_wal_frame(bytes)) != bytes) {
      throw std::logic_error("a frame is not what was read from it");
    }
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::protocol) {
      throw std::logic_error("bytes of a server gave another error than protocol");
    }
    return false;
  }
}

}  // namespace repld::fuzz
