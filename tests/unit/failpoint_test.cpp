#include "base/failpoint.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <functional>

#include "core/error.h"

using namespace repld;

namespace {

constexpr int kRefused = 3;     // exit code: arm_failpoints threw Error(config)
constexpr int kOtherError = 4;  // exit code: it threw something else

// Arms what `setting` says and runs `act`, in a child process: what is armed stays armed, and
// most of it ends the process. Returns the exit code, or minus the signal.
int outcome(const char* setting, const std::function<int()>& act) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    ::unsetenv("REPLD_FAILPOINT");
    if (setting != nullptr) {
      ::setenv("REPLD_FAILPOINT", setting, 1);
    }
    try {
      arm_failpoints();
    } catch (const Error& error) {
      ::_exit(error.kind() == ErrorKind::config ? kRefused : kOtherError);
    }
    ::_exit(act());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int pass(const char* name, int times) {
  for (int i = 0; i < times; ++i) {
    failpoint(name);
  }
  return 0;
}

}  // namespace

TEST_CASE("without the variable a failpoint does nothing") {
  CHECK(outcome(nullptr, [] { return pass("apply.before_commit", 3); }) == 0);
  CHECK(outcome("", [] { return pass("apply.before_commit", 3); }) == 0);
}

TEST_CASE("a failpoint kills the process when it comes by as often as asked") {
  struct Row {
    const char* setting;
    int times;
    int outcome;
  };
  const Row rows[] = {
      {"apply.before_commit=kill", 1, -SIGKILL},
      {"apply.before_commit=kill@1", 1, -SIGKILL},
      {"apply.before_commit=kill@3", 2, 0},
      {"apply.before_commit=kill@3", 3, -SIGKILL},
      {"apply.after_commit=kill", 5, 0},
      {"copy.after_chunk=kill,apply.before_commit=kill@2", 1, 0},
      {"copy.after_chunk=kill,apply.before_commit=kill@2", 2, -SIGKILL},
  };
  for (const Row& row : rows) {
    CAPTURE(row.setting);
    CAPTURE(row.times);
    CHECK(outcome(row.setting, [&] { return pass("apply.before_commit", row.times); }) ==
          row.outcome);
  }
}

TEST_CASE("a failpoint waits each time it comes by") {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  CHECK(outcome("apply.batch_sent=sleep:20", [] { return pass("apply.batch_sent", 3); }) == 0);
  CHECK(Clock::now() - start >= std::chrono::milliseconds(60));
}

TEST_CASE("a setting that could never show is refused") {
  const char* settings[] = {
      "apply.no_such_place=kill",
      "apply.before_commit",
      "apply.before_commit=",
      "apply.before_commit=explode",
      "apply.before_commit=kill@",
      "apply.before_commit=kill@0",
      "apply.before_commit=kill@-1",
      "apply.before_commit=kill@3x",
      "apply.before_commit=sleep:",
      "apply.before_commit=sleep:0",
      "apply.before_commit=sleep:5s",
      "apply.before_commit=kill, apply.after_commit=kill",
      "apply.before_commit=kill,,apply.after_commit=kill",
      "=kill",
  };
  for (const char* setting : settings) {
    CAPTURE(setting);
    CHECK(outcome(setting, [] { return 0; }) == kRefused);
  }
}

TEST_CASE("code that names an unknown place is found as soon as anything is armed") {
  CHECK(outcome("apply.before_commit=kill", [] { return pass("apply.no_such_place", 1); }) ==
        -SIGABRT);
}
