#include "core/lsn.h"

#include <fmt/format.h>

#include <charconv>

#include "core/error.h"

namespace repld {

namespace {

std::optional<uint32_t> parse_half(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional<uint32_t>(value) : std::nullopt;
}

}  // namespace

std::optional<Lsn> try_parse_lsn(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto high = parse_half(text.substr(0, slash));
  const auto low = parse_half(text.substr(slash + 1));
  if (!high || !low) {
    return std::nullopt;
  }
  return Lsn{(uint64_t{*high} << 32) | *low};
}

Lsn parse_lsn(std::string_view text) {
  const std::optional<Lsn> lsn = try_parse_lsn(text);
  if (!lsn) {
    throw Error(ErrorKind::protocol, fmt::format("\"{}\" is not an LSN", text));
  }
  return *lsn;
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
