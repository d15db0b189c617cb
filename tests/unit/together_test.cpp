#include "verify/together.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/error.h"

using namespace repld;
using repld::verify::run_together;

namespace {

// What a job waits for until it is interrupted.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace

TEST_CASE("jobs run at the same time, and nothing is interrupted when all end by themselves") {
  Gate first;
  Gate second;
  bool interrupted = false;
  run_together({[&] {
                  first.open();
                  second.wait();
                },
                [&] {
                  first.wait();
                  second.open();
                }},
               [&] { interrupted = true; }, {});
  CHECK_FALSE(interrupted);
}

TEST_CASE("a job that fails ends the others, and its failure is the one that is told") {
  Gate gate;
  CHECK_THROWS_WITH_AS(run_together({[] { throw Error(ErrorKind::schema, "first"); },
                                     [&] {
                                       gate.wait();
                                       throw Error(ErrorKind::connect, "interrupted");
                                     }},
                                    [&] { gate.open(); }, {}),
                       "first", Error);
}

TEST_CASE("an interruption that hits nothing is repeated until the jobs have ended") {
  Gate gate;
  int interruptions = 0;
  std::stop_source stop;
  CHECK_THROWS_WITH_AS(run_together(
                           {[&] {
                             stop.request_stop();
                             gate.wait();
                           }},
                           [&] {
                             if (++interruptions == 2) {
                               gate.open();
                             }
                           },
                           stop.get_token()),
                       "stopped", Error);
  CHECK(interruptions >= 2);
}
