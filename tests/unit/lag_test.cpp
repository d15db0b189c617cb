#include "core/lag.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

constexpr int64_t kSecond = 1'000'000;

// One sample a second: position 100 at second 1, 200 at second 2 ..
LagClock sampled(int seconds) {
  LagClock clock;
  for (int i = 1; i <= seconds; ++i) {
    clock.sample(Lsn{static_cast<uint64_t>(i) * 100}, i * kSecond);
  }
  return clock;
}

}  // namespace

TEST_CASE("without a sample there is no lag to speak of") {
  LagClock clock;
  CHECK(clock.seconds(Lsn{5}, 10 * kSecond, 0) == 0);
  CHECK(clock.newest() == Lsn::invalid);
  CHECK(clock.newest_us() == 0);
}

TEST_CASE("lag is the time since the newest sample that is reached") {
  struct Row {
    uint64_t reached;
    double seconds;
  };
  const Row rows[] = {
      {1000, 0}, {1001, 0}, {999, 3}, {900, 3}, {899, 4}, {250, 10}, {200, 10}, {100, 11},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reached);
    LagClock clock = sampled(10);
    CHECK(clock.seconds(Lsn{row.reached}, 12 * kSecond, 0) == row.seconds);
  }
}

TEST_CASE("a target that lags keeps its lag while it advances as fast as the source") {
  LagClock clock;
  for (int i = 1; i <= 20; ++i) {
    clock.sample(Lsn{static_cast<uint64_t>(i) * 100}, i * kSecond);
    if (i > 5) {
      CHECK(clock.seconds(Lsn{static_cast<uint64_t>(i - 5) * 100}, i * kSecond, 0) == 5);
    }
  }
}

TEST_CASE("a source that stands still makes no lag once it is reached, however long it does") {
  LagClock clock;
  for (int i = 1; i <= 100; ++i) {
    clock.sample(Lsn{100}, i * kSecond);
  }
  CHECK(clock.seconds(Lsn{100}, 100 * kSecond, 0) == 0);
  CHECK(clock.newest_us() == 100 * kSecond);
  // What comes after the quiet time is as old as the end of it, not as its start.
  clock.sample(Lsn{200}, 101 * kSecond);
  CHECK(clock.seconds(Lsn{100}, 101 * kSecond, 0) == 1);
}

TEST_CASE("lag grows while the target stands still") {
  LagClock clock = sampled(3);
  CHECK(clock.seconds(Lsn{200}, 3 * kSecond, 0) == 1);
  CHECK(clock.seconds(Lsn{200}, 60 * kSecond, 0) == 58);
}

TEST_CASE("a commit newer than the newest sample reached makes the lag exact") {
  struct Row {
    int64_t commit_us;
    double seconds;
  };
  // At position 250 of samples at 1, 2, 3 s, seen at 3.5 s.
  const Row rows[] = {{0, 1.5}, {kSecond, 1.5}, {2 * kSecond, 1.5}, {3 * kSecond, 0.5}};
  for (const Row& row : rows) {
    CAPTURE(row.commit_us);
    LagClock clock = sampled(3);
    CHECK(clock.seconds(Lsn{250}, 3 * kSecond + kSecond / 2, row.commit_us) == row.seconds);
  }
}

TEST_CASE("behind all samples the commit time tells, where it is known and older") {
  struct Row {
    int64_t commit_us;
    double seconds;
  };
  const Row rows[] = {{0, 9}, {-50 * kSecond, 60}, {kSecond / 2, 9.5}, {5 * kSecond, 9}};
  for (const Row& row : rows) {
    CAPTURE(row.commit_us);
    LagClock clock = sampled(3);
    CHECK(clock.seconds(Lsn{50}, 10 * kSecond, row.commit_us) == row.seconds);
  }
  LagClock clock = sampled(3);
  CHECK(clock.seconds(Lsn{100}, 10 * kSecond, -50 * kSecond) == 9);
}

TEST_CASE("a sample that goes back in either way is ignored") {
  LagClock clock = sampled(3);
  clock.sample(Lsn{250}, 4 * kSecond);
  clock.sample(Lsn{900}, 2 * kSecond);
  CHECK(clock.newest() == Lsn{300});
  CHECK(clock.newest_us() == 3 * kSecond);
  CHECK(clock.seconds(Lsn{300}, 9 * kSecond, 0) == 0);
}

TEST_CASE("a clock that stands before the sample makes no negative lag") {
  LagClock clock = sampled(3);
  CHECK(clock.seconds(Lsn{200}, kSecond, 0) == 0);
}

TEST_CASE("samples of more than a day keep the oldest and thin out between") {
  LagClock clock = sampled(101'000);
  CHECK(clock.newest() == Lsn{10'100'000});
  CHECK(clock.seconds(Lsn{100}, 101'000 * kSecond, 0) == 100'999);
  CHECK(clock.seconds(Lsn{10'099'900}, 101'000 * kSecond, 0) == 1);
}
