#include "core/wal_frame.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "wire_bytes.h"

using namespace repld;
using repld::testing::ExactBytes;
using repld::testing::WireBytes;

namespace {

bool refused(std::string_view bytes) {
  const ExactBytes exact(bytes);
  try {
    decode_wal_frame(exact.view());
  } catch (const Error& error) {
    return error.kind() == ErrorKind::protocol;
  }
  return false;
}

std::string wal_data(std::string_view payload) {
  return WireBytes().tag('w').int64(0x100).int64(0x200).int64(777).raw(payload).str();
}

std::string keepalive(uint8_t reply_requested) {
  return WireBytes().tag('k').int64(0x300).int64(888).int8(reply_requested).str();
}

}  // namespace

TEST_CASE("an XLogData frame gives its positions, its time and its payload") {
  const std::string bytes = wal_data(std::string_view("a\0b", 3));
  const auto frame = std::get<WalData>(decode_wal_frame(bytes));
  CHECK(frame.start == Lsn{0x100});
  CHECK(frame.wal_end == Lsn{0x200});
  CHECK(frame.server_time_us == 777);
  CHECK(frame.payload == std::string_view("a\0b", 3));
}

TEST_CASE("a keepalive says whether it wants a reply") {
  for (const uint8_t wanted : {uint8_t{0}, uint8_t{1}}) {
    CAPTURE(wanted);
    const std::string bytes = keepalive(wanted);
    const auto frame = std::get<Keepalive>(decode_wal_frame(bytes));
    CHECK(frame.wal_end == Lsn{0x300});
    CHECK(frame.server_time_us == 888);
    CHECK(frame.reply_requested == (wanted == 1));
  }
}

TEST_CASE("a frame that is cut off anywhere before its payload is a protocol error") {
  for (const std::string& frame : {wal_data(""), keepalive(1)}) {
    for (size_t length = 0; length < frame.size(); ++length) {
      CAPTURE(length);
      CHECK(refused(std::string_view(frame).substr(0, length)));
    }
    CHECK_FALSE(refused(frame));
  }
}

TEST_CASE("a keepalive with bytes left over or an unknown flag is a protocol error") {
  CHECK(refused(keepalive(1) + "x"));
  CHECK(refused(keepalive(2)));
}

TEST_CASE("every other frame type is a protocol error") {
  const std::string body(64, '\0');
  for (int type = 0; type < 256; ++type) {
    CAPTURE(type);
    if (type != 'w' && type != 'k') {
      CHECK(refused(static_cast<char>(type) + body));
    }
  }
}

TEST_CASE("a status update is encoded as the server reads it, asking for no reply") {
  StandbyStatus status;
  status.written = Lsn{0x0102030405060708};
  status.flushed = Lsn{0xFFFFFFFF00000001};
  status.applied = Lsn{3};
  status.client_time_us = -5;
  const std::string expected = WireBytes()
                                   .tag('r')
                                   .int64(0x0102030405060708)
                                   .int64(static_cast<int64_t>(0xFFFFFFFF00000001))
                                   .int64(3)
                                   .int64(-5)
                                   .int8(0)
                                   .str();
  CHECK(encode(status) == expected);
}
