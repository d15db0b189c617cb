#include "core/progress.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>

using namespace repld;

namespace {

constexpr uint64_t kUnbounded = UINT64_MAX;

// Runs `act` in a child process and tells whether an assertion ended it.
bool asserts(const std::function<void()>& act) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    act();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("a link starts with everything at its progress row and nothing confirmed") {
  const Progress progress(Lsn{100});
  CHECK(progress.received() == Lsn{100});
  CHECK(progress.applied() == Lsn{100});
  CHECK(progress.durable() == Lsn{100});
  CHECK(progress.confirmed() == Lsn::invalid);
}

TEST_CASE("each position moves alone, and never back") {
  Progress progress(Lsn{100});
  progress.receive(Lsn{200});
  CHECK(progress.received() == Lsn{200});
  CHECK(progress.applied() == Lsn{100});
  progress.apply(Lsn{180});
  CHECK(progress.applied() == Lsn{180});
  CHECK(progress.durable() == Lsn{100});
  progress.make_durable(Lsn{160});
  CHECK(progress.durable() == Lsn{160});
  CHECK(progress.confirmed() == Lsn::invalid);
  progress.confirm(Lsn{140});
  CHECK(progress.confirmed() == Lsn{140});

  progress.receive(Lsn{1});
  progress.apply(Lsn{1});
  progress.make_durable(Lsn{1});
  progress.confirm(Lsn{1});
  CHECK(progress.received() == Lsn{200});
  CHECK(progress.applied() == Lsn{180});
  CHECK(progress.durable() == Lsn{160});
  CHECK(progress.confirmed() == Lsn{140});
}

TEST_CASE("no position may pass the one before it") {
  CHECK(asserts([] { Progress(Lsn{100}).apply(Lsn{101}); }));
  CHECK(asserts([] {
    Progress progress(Lsn{100});
    progress.receive(Lsn{200});
    progress.make_durable(Lsn{101});
  }));
  CHECK(asserts([] { Progress(Lsn{100}).confirm(Lsn{101}); }));
  CHECK_FALSE(asserts([] {
    Progress progress(Lsn{100});
    progress.receive(Lsn{101});
    progress.apply(Lsn{101});
    progress.make_durable(Lsn{101});
    progress.confirm(Lsn{101});
  }));
}

TEST_CASE("nothing is confirmable before anything was durable") {
  ConfirmMargin margin(0, kUnbounded);
  CHECK(margin.confirmable(1'000'000) == Lsn::invalid);
}

TEST_CASE("a margin of zero confirms at once") {
  ConfirmMargin margin(0, kUnbounded);
  margin.durable(Lsn{100}, 5);
  CHECK(margin.confirmable(5) == Lsn{100});
  margin.durable(Lsn{101}, 5);
  CHECK(margin.confirmable(5) == Lsn{101});
}

TEST_CASE("a position becomes confirmable when it has been durable for the margin") {
  ConfirmMargin margin(1000, kUnbounded);
  margin.durable(Lsn{100}, 0);
  margin.durable(Lsn{200}, 400);
  margin.durable(Lsn{300}, 800);
  struct Row {
    int64_t now_ms;
    uint64_t confirmable;
  };
  const Row rows[] = {{800, 0},    {999, 0},    {1000, 100}, {1399, 100},
                      {1400, 200}, {1799, 200}, {1800, 300}, {90'000, 300}};
  for (const Row& row : rows) {
    CAPTURE(row.now_ms);
    CHECK(margin.confirmable(row.now_ms) == Lsn{row.confirmable});
  }
}

TEST_CASE("a position reported again while idle does not start over") {
  ConfirmMargin margin(1000, kUnbounded);
  for (int64_t now_ms = 0; now_ms <= 900; ++now_ms) {
    margin.durable(Lsn{100}, now_ms);
  }
  CHECK(margin.confirmable(999) == Lsn::invalid);
  CHECK(margin.confirmable(1000) == Lsn{100});
  margin.durable(Lsn{100}, 1100);
  CHECK(margin.confirmable(1100) == Lsn{100});
}

TEST_CASE("what lies further behind than the bytes allow is confirmable whatever its age") {
  ConfirmMargin margin(60'000, 1000);
  margin.durable(Lsn{5000}, 0);
  margin.durable(Lsn{5500}, 1);
  margin.durable(Lsn{5999}, 2);
  CHECK(margin.confirmable(2) == Lsn::invalid);
  margin.durable(Lsn{6000}, 3);
  CHECK(margin.confirmable(3) == Lsn{5000});
  margin.durable(Lsn{6999}, 4);
  CHECK(margin.confirmable(4) == Lsn{5999});
  margin.durable(Lsn{100'000}, 5);
  CHECK(margin.confirmable(5) == Lsn{6999});
}

TEST_CASE("on a busy stream nothing is confirmed early, and little of it late") {
  struct Row {
    const char* name;
    int64_t margin_ms;
    uint64_t bytes_per_ms;
  };
  const Row rows[] = {{"short margin", 1000, 10}, {"default margin", 60'000, 3}};
  for (const Row& row : rows) {
    CAPTURE(row.name);
    ConfirmMargin margin(row.margin_ms, kUnbounded);
    const int64_t slack_ms = row.margin_ms / 500 + 1;
    bool early = false;
    bool late = false;
    for (int64_t now_ms = 1; now_ms <= 3 * row.margin_ms; ++now_ms) {
      margin.durable(Lsn{static_cast<uint64_t>(now_ms) * row.bytes_per_ms}, now_ms);
      const auto confirmable = static_cast<uint64_t>(margin.confirmable(now_ms));
      const auto since_ms = static_cast<int64_t>(confirmable / row.bytes_per_ms);
      early = early || (confirmable != 0 && now_ms - since_ms < row.margin_ms);
      late = late || now_ms - since_ms > row.margin_ms + slack_ms;
    }
    CHECK_FALSE(early);
    CHECK_FALSE(late);
  }
}

TEST_CASE("on a fast stream the bytes held stay near their bound, whatever the margin") {
  constexpr uint64_t kBytesMax = 64'000'000;
  ConfirmMargin margin(3'600'000, kBytesMax);
  uint64_t held_max = 0;
  uint64_t lsn = 0;
  for (int64_t now_ms = 1; now_ms <= 20'000; ++now_ms) {
    lsn += 100'000;
    margin.durable(Lsn{lsn}, now_ms);
    const auto confirmable = static_cast<uint64_t>(margin.confirmable(now_ms));
    CHECK((confirmable == 0 || lsn - confirmable >= kBytesMax));
    held_max = std::max(held_max, lsn - confirmable);
  }
  CHECK(held_max <= kBytesMax + kBytesMax / 500 + 100'000);
}

TEST_CASE("a durable position may not go back, nor may time") {
  CHECK(asserts([] {
    ConfirmMargin margin(1000, kUnbounded);
    margin.durable(Lsn{100}, 0);
    margin.durable(Lsn{99}, 1);
  }));
  CHECK(asserts([] {
    ConfirmMargin margin(0, kUnbounded);
    margin.durable(Lsn{100}, 0);
    margin.durable(Lsn{99}, 1);
  }));
  CHECK(asserts([] {
    ConfirmMargin margin(1000, kUnbounded);
    margin.durable(Lsn{100}, 5);
    margin.durable(Lsn{101}, 4);
  }));
}
