// Durations as people write them: "250ms", "20s", "15m", "1h", "2d", "0".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace repld {

// Milliseconds; nothing when the text is no duration. Fractions are allowed: "2.5s".
std::optional<int64_t> parse_duration_ms(std::string_view text);

}  // namespace repld
