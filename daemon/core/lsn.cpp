#include "core/lsn.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"

namespace repld {

namespace {

uint32_t parse_half(std::string_view text, std::string_view whole) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Error(ErrorKind::protocol, fmt::format("\"{}\" is not an LSN", whole));
  }
  return value;
}

}  // namespace

Lsn parse_lsn(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    throw Error(ErrorKind::protocol, fmt::format("\"{}\" is not an LSN", text));
  }
  const uint64_t high = parse_half(text.substr(0, slash), text);
  const uint64_t low = parse_half(text.substr(slash + 1), text);
  return Lsn{(high << 32) | low};
}

std::string to_string(Lsn lsn) {
  const auto value = static_cast<uint64_t>(lsn);
  return fmt::format("{:X}/{:X}", value >> 32, value & 0xFFFFFFFFU);
}

uint64_t bytes_between(Lsn from, Lsn to) {
  const auto low = static_cast<uint64_t>(from);
  const auto high = static_cast<uint64_t>(to);
  return high > low ? high - low : 0;
}

}  // namespace repld
