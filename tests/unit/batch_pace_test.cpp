#include "core/batch_pace.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

constexpr BatchLimits kMost = {20000, size_t{16} << 20};

BatchPace after(const BatchLimits& most, std::initializer_list<double> seconds) {
  BatchPace pace(most);
  for (const double taken : seconds) {
    Batch batch;
    batch.rows = pace.limits().rows_max;
    pace.committed(batch, taken);
  }
  return pace;
}

}  // namespace

TEST_CASE("batches begin small and grow while they are quick, up to what was configured") {
  CHECK(after(kMost, {}).limits().rows_max == BatchPace::kRowsMin);
  CHECK(after(kMost, {}).limits().bytes_max == BatchPace::kBytesMin);
  CHECK(after(kMost, {0.1, 0.9}).limits().rows_max == 4 * BatchPace::kRowsMin);
  const BatchPace grown = after(kMost, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(grown.limits().rows_max == kMost.rows_max);
  CHECK(grown.limits().bytes_max == kMost.bytes_max);
}

TEST_CASE("batches stay as they are at a second or some, and shrink when they take long") {
  CHECK(after(kMost, {0, 0, 1, 4}).limits().rows_max == 4 * BatchPace::kRowsMin);
  CHECK(after(kMost, {0, 0, 9}).limits().rows_max == 2 * BatchPace::kRowsMin);
  CHECK(after(kMost, {9, 9, 9}).limits().rows_max == BatchPace::kRowsMin);
  CHECK(after(kMost, {9, 9, 9}).limits().bytes_max == BatchPace::kBytesMin);
}

TEST_CASE("what was configured may be less than batches begin with") {
  const BatchLimits little = {5, 1000};
  for (const auto& pace : {after(little, {}), after(little, {0, 0}), after(little, {9, 9})}) {
    CHECK(pace.limits().rows_max == 5);
    CHECK(pace.limits().bytes_max == 1000);
  }
}

TEST_CASE("small batches say nothing of large ones, unless they take long") {
  BatchPace pace(kMost);
  Batch small;
  small.rows = 3;
  pace.committed(small, 0.001);
  CHECK(pace.limits().rows_max == BatchPace::kRowsMin);
  Batch heavy;
  heavy.bytes = pace.limits().bytes_max;
  pace.committed(heavy, 0.001);
  CHECK(pace.limits().rows_max == 2 * BatchPace::kRowsMin);
  pace.committed(small, 9);
  CHECK(pace.limits().rows_max == BatchPace::kRowsMin);
}
