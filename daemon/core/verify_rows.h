// What the scans of core/verify_sql answer, read from the text format of COPY.
//
// Source: PostgreSQL, COPY, "Text Format".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/proof.h"

namespace repld {

// The fields of one line, with or without the line feed at its end. Throws Error(protocol).
std::vector<std::optional<std::string>> parse_copy_line(std::string_view line);

struct ScannedRow {
  int64_t key_hash = 0;
  int64_t digest = 0;
  KeyTexts key;
};
ScannedRow parse_scanned_row(std::string_view line);

// Count and sum of digests of each bucket. The sum is kept modulo 2^64. It is enough: XOR would
// not see two equal rows come or go, which tables without a key may hold.
class BucketSums {
 public:
  explicit BucketSums(int64_t buckets) : buckets_(static_cast<size_t>(buckets)) {}

  void add(std::string_view line);
  int64_t rows() const;

  // In which the two differ.
  std::vector<int64_t> differing(const BucketSums& other) const;

 private:
  struct Bucket {
    int64_t rows = 0;
    uint64_t sum = 0;

    bool operator==(const Bucket&) const = default;
  };
  std::vector<Bucket> buckets_;
};

// So that a bucket holds about a thousand rows. A power of two, at most 65,536.
int64_t bucket_count(int64_t rows);

}  // namespace repld
