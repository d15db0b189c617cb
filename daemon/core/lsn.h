// A position in one server's WAL.
//
// Text form as in PostgreSQL's pg_lsn type: two hexadecimal halves, "16/B374D848".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace repld {

// Ordered and printable; no arithmetic by design.
enum class Lsn : uint64_t { invalid = 0 };

// Throws Error(protocol) when the text is not a pg_lsn.
Lsn parse_lsn(std::string_view text);
// Nothing when the text is not a pg_lsn.
std::optional<Lsn> try_parse_lsn(std::string_view text);
std::string to_string(Lsn lsn);

// Bytes of WAL between two positions; 0 when `to` is not ahead.
uint64_t bytes_between(Lsn from, Lsn to);

}  // namespace repld
