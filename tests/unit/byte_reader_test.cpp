#include "core/byte_reader.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "wire_bytes.h"

using namespace repld;
using repld::testing::ExactBytes;
using repld::testing::WireBytes;

namespace {

// What the Error(protocol) says, or what happened instead.
std::string refusal(std::string_view bytes, const std::function<void(ByteReader&)>& read) {
  const ExactBytes exact(bytes);
  ByteReader in(exact.view(), "thing");
  try {
    read(in);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::protocol ? error.what() : "wrong kind of error";
  }
  return "accepted";
}

}  // namespace

TEST_CASE("integers are read big-endian and with their sign") {
  const std::string bytes = WireBytes()
                                .int8(0xFE)
                                .int32(-2)
                                .int32(0x01020304)
                                .int32(-1)
                                .int64(-3)
                                .int64(0x16'B374'D848)
                                .str();
  ByteReader in(bytes, "thing");
  CHECK(in.uint8() == 0xFE);
  CHECK(in.int32() == -2);
  CHECK(in.uint32() == 0x01020304U);
  CHECK(in.uint32() == 0xFFFFFFFFU);
  CHECK(in.int64() == -3);
  CHECK(in.lsn() == Lsn{0x16'B374'D848});
  in.expect_end();
}

TEST_CASE("strings end at their zero byte, bytes at their length, the rest at the end") {
  const std::string bytes = WireBytes().string("public").string("").raw("abc").raw("tail").str();
  ByteReader in(bytes, "thing");
  CHECK(in.string() == "public");
  CHECK(in.string().empty());
  CHECK(in.bytes(0).empty());
  CHECK(in.bytes(3) == "abc");
  CHECK(in.rest() == "tail");
  CHECK(in.rest().empty());
  in.expect_end();
}

TEST_CASE("counts are read when the bytes left can hold so many items") {
  const std::string bytes = WireBytes().int16(2).int32(8).raw("12345678").str();
  ByteReader in(bytes, "thing");
  CHECK(in.count16(6) == 2);
  CHECK(in.count32(1) == 8);
  CHECK(in.rest() == "12345678");
}

TEST_CASE("every read past the end is a protocol error") {
  struct Row {
    const char* name;
    size_t width;
    std::function<void(ByteReader&)> read;
  };
  const Row rows[] = {
      {"byte", 1, [](ByteReader& in) { in.byte(); }},
      {"uint8", 1, [](ByteReader& in) { in.uint8(); }},
      {"flag", 1, [](ByteReader& in) { in.flag(); }},
      {"uint32", 4, [](ByteReader& in) { in.uint32(); }},
      {"int32", 4, [](ByteReader& in) { in.int32(); }},
      {"int64", 8, [](ByteReader& in) { in.int64(); }},
      {"lsn", 8, [](ByteReader& in) { in.lsn(); }},
      {"count16", 2, [](ByteReader& in) { in.count16(1); }},
      {"count32", 4, [](ByteReader& in) { in.count32(1); }},
      {"bytes", 5, [](ByteReader& in) { in.bytes(5); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    for (size_t length = 0; length < row.width; ++length) {
      CHECK(refusal(std::string(length, '\0'), row.read) == "thing: ends too early");
    }
    CHECK(refusal(std::string(row.width, '\0'), row.read) == "accepted");
  }
}

TEST_CASE("what the bytes cannot mean is refused, and the structure is named") {
  struct Row {
    const char* expected;
    std::string bytes;
    std::function<void(ByteReader&)> read;
  };
  const Row rows[] = {
      {"thing: a string has no end", "abc", [](ByteReader& in) { in.string(); }},
      {"thing: a string has no end", "", [](ByteReader& in) { in.string(); }},
      {"thing: a flag is neither 0 nor 1", "\2", [](ByteReader& in) { in.flag(); }},
      {"thing: bytes are left over", "x", [](ByteReader& in) { in.expect_end(); }},
      {"thing: a count or length is negative", WireBytes().int16(-1).str(),
       [](ByteReader& in) { in.count16(1); }},
      {"thing: a count or length is negative", WireBytes().int32(INT32_MIN).str(),
       [](ByteReader& in) { in.count32(1); }},
      {"thing: ends too early", WireBytes().int16(3).raw("12345").str(),
       [](ByteReader& in) { in.count16(2); }},
      {"thing: ends too early", WireBytes().int32(INT32_MAX).raw("12345").str(),
       [](ByteReader& in) { in.count32(1); }},
      {"thing: ends too early", "abc", [](ByteReader& in) { in.bytes(SIZE_MAX); }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes.size());
    CHECK(refusal(row.bytes, row.read) == row.expected);
  }
}

TEST_CASE("a flag is 0 or 1") {
  const std::string bytes = WireBytes().int8(0).int8(1).str();
  ByteReader in(bytes, "thing");
  CHECK_FALSE(in.flag());
  CHECK(in.flag());
}
