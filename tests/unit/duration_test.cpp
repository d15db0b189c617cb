#include "core/duration.h"

#include <doctest/doctest.h>

#include <string>

using namespace repld;

TEST_CASE("a duration is a number with a unit") {
  struct Row {
    const char* text;
    int64_t milliseconds;
  };
  const Row rows[] = {
      {"0", 0},
      {"00", 0},
      {"0.0", 0},
      {"0s", 0},
      {"1ms", 1},
      {"250ms", 250},
      {"20s", 20'000},
      {"15m", 900'000},
      {"1h", 3'600'000},
      {"2d", 172'800'000},
      {"2.5s", 2'500},
      {"0.5ms", 0},
      {"1.5h", 5'400'000},
      {".5s", 500},
      {"365d", 31'536'000'000},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_duration_ms(row.text) == row.milliseconds);
  }
}

TEST_CASE("anything else is no duration") {
  const std::string rows[] = {
      "",
      "s",
      "ms",
      "1",
      "1 s",
      " 1s",
      "1s ",
      "-1s",
      "+1s",
      "1S",
      "1sec",
      "1w",
      "1.2.3s",
      "..s",
      ".",
      "1e3s",
      "0x1s",
      "1s1s",
      "1,5s",
      "inf",
      "nan",
      "infs",
      "1h30m",
      "0.5",
      "0x",
      "366d",
      "99999999999h",
      std::string(400, '9') + "s",
      std::string("1s\0", 3),
  };
  for (const std::string& text : rows) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration_ms(text).has_value());
  }
}
