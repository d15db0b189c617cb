// Bounds-checked cursor over bytes that a server sent, integers big-endian.
//
//   ByteReader in(bytes, "Begin message");
//   const Lsn final_lsn = in.lsn();
//   const int64_t commit_time_us = in.int64();
//   in.expect_end();
//
// A read past the end throws Error(protocol) that names the structure; nothing is ever read as
// zero in its place. Error texts carry no bytes of the input: those may be row values.
// Returned views borrow from the bytes given.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "core/lsn.h"

namespace repld {

class ByteReader {
 public:
  // `what` names the structure in error texts and must outlive the reader.
  ByteReader(std::string_view bytes, const char* what) : rest_(bytes), what_(what) {}

  char byte() { return bytes(1).front(); }
  uint8_t uint8() { return big_endian<uint8_t>(); }
  uint32_t uint32() { return big_endian<uint32_t>(); }
  int32_t int32() { return static_cast<int32_t>(big_endian<uint32_t>()); }
  int64_t int64() { return static_cast<int64_t>(big_endian<uint64_t>()); }
  Lsn lsn() { return Lsn{big_endian<uint64_t>()}; }

  // An int8 that is 0 or 1.
  bool flag() {
    const uint8_t value = uint8();
    if (value > 1) {
      fail("a flag is neither 0 nor 1");
    }
    return value == 1;
  }

  // An int16 or int32 that counts items of at least `item_bytes_min` bytes each. A count that
  // the bytes left cannot hold is refused here, before anyone reserves memory for it.
  size_t count16(size_t item_bytes_min) {
    return checked_count(static_cast<int16_t>(big_endian<uint16_t>()), item_bytes_min);
  }
  size_t count32(size_t item_bytes_min) { return checked_count(int32(), item_bytes_min); }

  std::string_view bytes(size_t length) {
    if (length > rest_.size()) {
      fail("ends too early");
    }
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  // Up to a zero byte, which is consumed and not returned.
  std::string_view string() {
    const size_t length = rest_.find('\0');
    if (length == std::string_view::npos) {
      fail("a string has no end");
    }
    const std::string_view taken = bytes(length);
    rest_.remove_prefix(1);
    return taken;
  }

  std::string_view rest() { return bytes(rest_.size()); }

  void expect_end() const {
    if (!rest_.empty()) {
      fail("bytes are left over");
    }
  }

  [[noreturn]] void fail(std::string_view problem) const {
    throw Error(ErrorKind::protocol, fmt::format("{}: {}", what_, problem));
  }

 private:
  template <typename Unsigned>
  Unsigned big_endian() {
    Unsigned value = 0;
    for (const char byte : bytes(sizeof(Unsigned))) {
      value = static_cast<Unsigned>((uint64_t{value} << 8) | static_cast<unsigned char>(byte));
    }
    return value;
  }

  size_t checked_count(int32_t count, size_t item_bytes_min) const {
    if (count < 0) {
      fail("a count or length is negative");
    }
    const auto items = static_cast<size_t>(count);
    if (items > rest_.size() / item_bytes_min) {
      fail("ends too early");
    }
    return items;
  }

  std::string_view rest_;
  const char* what_;
};

}  // namespace repld
