#include "core/lsn.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace repld;

TEST_CASE("an LSN reads and prints as PostgreSQL writes it") {
  struct Row {
    const char* text;
    uint64_t value;
  };
  const Row rows[] = {
      {"0/0", 0},
      {"0/1", 1},
      {"1/0", uint64_t{1} << 32},
      {"16/B374D848", 0x16'B374'D848},
      {"0/FFFFFFFF", 0xFFFF'FFFF},
      {"FFFFFFFF/FFFFFFFF", 0xFFFF'FFFF'FFFF'FFFF},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_lsn(row.text) == Lsn{row.value});
    CHECK(to_string(Lsn{row.value}) == row.text);
  }
}

TEST_CASE("an LSN is read in lower case and with leading zeros too") {
  CHECK(parse_lsn("16/b374d848") == Lsn{0x16'B374'D848});
  CHECK(parse_lsn("00000016/0000d848") == Lsn{0x16'0000'D848});
}

TEST_CASE("text that is no LSN is a protocol error") {
  const char* rows[] = {"",      "/",           "0",           "0/",   "/0",
                        "0/0/0", "0/ 0",        " 0/0",        "0/0 ", "-1/0",
                        "0/+1",  "100000000/0", "0/100000000", "0/x",  "0x1/0"};
  for (const char* text : rows) {
    CAPTURE(text);
    ErrorKind kind = ErrorKind::internal;
    try {
      parse_lsn(text);
    } catch (const Error& error) {
      kind = error.kind();
    }
    CHECK(kind == ErrorKind::protocol);
  }
}

TEST_CASE("the distance of two positions is never negative") {
  CHECK(bytes_between(Lsn{10}, Lsn{25}) == 15);
  CHECK(bytes_between(Lsn{25}, Lsn{10}) == 0);
  CHECK(bytes_between(Lsn{7}, Lsn{7}) == 0);
  CHECK(bytes_between(Lsn::invalid, Lsn{UINT64_MAX}) == UINT64_MAX);
}
