#include "core/duration.h"

#include <algorithm>
#include <charconv>

namespace repld {

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  struct Unit {
    std::string_view name;
    double milliseconds;
  };
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
  constexpr double kYear = 365 * 8.64e7;

  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc{} || end != text.data() + digits) {
    return std::nullopt;
  }
  const std::string_view unit = text.substr(digits);
  for (const Unit& known : kUnits) {
    if (unit == known.name && number * known.milliseconds <= kYear) {
      return static_cast<int64_t>(number * known.milliseconds);
    }
  }
  return unit.empty() && number == 0 ? std::optional<int64_t>(0) : std::nullopt;
}

}  // namespace repld
