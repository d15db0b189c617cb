// Writes bytes as a server would send them, for the tests of what reads them.
//
//   WireBytes().tag('D').int32(16384).tag('K').int16(1).text("7").str()
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace repld::testing {

class WireBytes {
 public:
  WireBytes& tag(char type) {
    bytes_.push_back(type);
    return *this;
  }
  WireBytes& int8(uint8_t value) { return big_endian(value, 1); }
  WireBytes& int16(int16_t value) { return big_endian(static_cast<uint16_t>(value), 2); }
  WireBytes& int32(int32_t value) { return big_endian(static_cast<uint32_t>(value), 4); }
  WireBytes& int64(int64_t value) { return big_endian(static_cast<uint64_t>(value), 8); }
  WireBytes& string(std::string_view value) { return raw(value).tag('\0'); }
  WireBytes& raw(std::string_view value) {
    bytes_.append(value);
    return *this;
  }

  // Columns of a tuple.
  WireBytes& null() { return tag('n'); }
  WireBytes& unchanged() { return tag('u'); }
  WireBytes& text(std::string_view value) {
    return tag('t').int32(static_cast<int32_t>(value.size())).raw(value);
  }

  const std::string& str() const { return bytes_; }

 private:
  WireBytes& big_endian(uint64_t value, int width) {
    for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
      bytes_.push_back(static_cast<char>((value >> shift) & 0xFF));
    }
    return *this;
  }

  std::string bytes_;
};

// A copy that ends exactly where its allocation ends, so that the address sanitizer sees a read
// one byte beyond (a std::string has its own zero there).
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

}  // namespace repld::testing
