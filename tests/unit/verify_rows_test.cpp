#include "core/verify_rows.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace repld;

using Fields = std::vector<std::optional<std::string>>;

TEST_CASE("lines of COPY come apart as the server put them together") {
  struct Row {
    const char* line;
    Fields fields;
  };
  const Row rows[] = {
      {"1\t2\n", {"1", "2"}},
      {"\\N\t\n", {std::nullopt, ""}},
      {"\\\\N\ta\\tb\\nc\\rd\\be\\ff\\vg\n", {"\\N", "a\tb\nc\rd\be\ff\vg"}},
      {"\n", {""}},
      {"\t\t", {"", "", ""}},
      {"\\\\\n", {"\\"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    CHECK(parse_copy_line(row.line) == row.fields);
  }
  CHECK_THROWS_AS(parse_copy_line("a\\\n"), Error);
}

TEST_CASE("a row is its key's hash, its digest and its key") {
  const ScannedRow row = parse_scanned_row("-9223372036854775808\t7\ta\\tb\t\\N\n");
  CHECK(row.key_hash == INT64_MIN);
  CHECK(row.digest == 7);
  CHECK(row.key == KeyTexts{"a\tb", std::nullopt});
  CHECK(parse_scanned_row("1\t2\n").key.empty());
  for (const char* line : {"1\n", "\\N\t1\n", "1\tx\n", "1\t9223372036854775808\n", "\t1\n"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(parse_scanned_row(line), Error);
  }
}

TEST_CASE("sums wrap, so that any of them fit") {
  BucketSums wide(2);
  wide.add("1\t3\t36893488147419103239\n");  // 2^65 + 7
  BucketSums narrow(2);
  narrow.add("1\t3\t7\n");
  CHECK(wide.differing(narrow).empty());
  BucketSums negative(2);
  negative.add("1\t3\t-18446744073709551609\n");  // 7 - 2^64
  CHECK(negative.differing(narrow).empty());
  CHECK(wide.rows() == 3);
}

TEST_CASE("buckets that differ are found, also those that only one side has") {
  BucketSums source(8);
  BucketSums target(8);
  for (const char* line : {"0\t1\t5\n", "2\t2\t-9\n", "3\t1\t1\n", "4\t2\t0\n"}) {
    source.add(line);
  }
  for (const char* line : {"0\t1\t5\n", "2\t2\t-8\n", "4\t4\t0\n", "7\t1\t3\n"}) {
    target.add(line);
  }
  CHECK(source.differing(target) == std::vector<int64_t>{2, 3, 4, 7});
  for (const char* line : {"8\t1\t1\n", "-1\t1\t1\n", "1\t1\n", "1\t1\t\\N\n", "1\t1\t-\n"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(source.add(line), Error);
  }
}

TEST_CASE("a bucket is about a thousand rows, up to a bound") {
  CHECK(bucket_count(0) == 1);
  CHECK(bucket_count(1000) == 1);
  CHECK(bucket_count(1001) == 2);
  CHECK(bucket_count(5'000'000) == 8192);
  CHECK(bucket_count(INT64_MAX) == 65536);
}
