#include "verify/together.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "core/error.h"

namespace repld::verify {

namespace {

// An interruption is lost on a session that is between two statements.
constexpr std::chrono::milliseconds kInterruptAgain{300};

class Crew {
 public:
  void start(const std::vector<std::function<void()>>& jobs) {
    running_ = jobs.size();
    for (const auto& job : jobs) {
      threads_.emplace_back([this, &job] { run(job); });
    }
  }

  void await(const std::function<void()>& interrupt, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return running_ == 0 || failure_; });
    while (running_ > 0) {
      lock.unlock();
      interrupt();
      lock.lock();
      changed_.wait_for(lock, kInterruptAgain, [this] { return running_ == 0; });
    }
  }

  void join() {
    threads_.clear();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
  }

 private:
  void run(const std::function<void()>& job) {
    std::exception_ptr failure;
    try {
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    failure_ = failure_ ? failure_ : failure;
    --running_;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  size_t running_ = 0;          // under mutex_
  std::exception_ptr failure_;  // under mutex_; the first
  std::vector<std::jthread> threads_;
};

}  // namespace

void run_together(const std::vector<std::function<void()>>& jobs,
                  const std::function<void()>& interrupt, const std::stop_token& stop) {
  Crew crew;
  crew.start(jobs);
  crew.await(interrupt, stop);
  if (stop.stop_requested()) {
    throw Error(ErrorKind::connect, "stopped");
  }
  crew.join();
}

}  // namespace repld::verify
