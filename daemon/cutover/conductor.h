// Runs cutovers, one at a time, on a thread of its own; and first of all ends those that an earlier
// process left in the journals. Holds the routes, which nobody else changes.
//
// begin() returns at once; how it goes is in status(). What fails before the point of no return is
// told there and over. What fails after it is tried until it succeeds, also by the next process.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/synchronized.h"
#include "core/cutover_status.h"
#include "cutover/course.h"
#include "cutover/passage.h"
#include "link/routes.h"

namespace repld::cutover {

class Conductor {
 public:
  // Borrows the links. `changed`: routes or status are others now; any thread.
  Conductor(const Links& links, PrepareProof prepare_proof, const Config& config,
            std::function<void()> changed)
      : links_(links),
        prepare_proof_(std::move(prepare_proof)),
        config_(config),
        changed_(std::move(changed)) {}
  ~Conductor() { stop(); }

  void start();
  void stop();
  // Any thread; for the next one.
  void reload(const Config& config) {
    config_.with([&](Config& value) { value = config; });
  }

  // Any thread. Returns a number by which status() names it; throws Error(refused) while another
  // runs. A max_freeze of 0 is as configured.
  int64_t begin(const Request& request);
  // Any thread. Throws Error(refused) while a cutover runs, or may have to be brought to its end.
  void require_idle();
  // The same, but of what an earlier process left: a source that is gone ends it never.
  void require_none_begun();
  // Any thread. The links were finalized: nothing has ever moved.
  void forget();
  // Any thread. The one that runs, or ran last.
  std::optional<CutoverStatus> status() const { return status_.copy(); }
  // Any thread. Nothing: neither side has been read yet.
  std::optional<link::Routes> routes() const { return routes_.copy(); }

 private:
  void run(const std::stop_token& stop);
  bool recover(const std::stop_token& stop);
  void recover_one(const Course& course, const std::stop_token& stop);
  void read_routes();
  void serve(const Request& request, const std::stop_token& stop);
  void travel(Passage& passage, CutoverState first, const std::stop_token& stop);
  bool perform(Passage& passage, CutoverState& state, const std::stop_token& stop);
  Witness witness();
  void enter(CutoverState state);
  void end(CutoverState state);
  void fail(CutoverState state, const Error& error);
  void tell_once(const std::string& what, const Error& error);

  const Links links_;
  const PrepareProof prepare_proof_;
  Synchronized<Config> config_;
  const std::function<void()> changed_;
  Synchronized<std::optional<CutoverStatus>> status_;
  Synchronized<std::optional<link::Routes>> routes_;
  std::mutex mutex_;
  std::condition_variable_any stirred_;
  bool ready_ = false;              // guarded by mutex_: nothing is left of earlier processes
  std::optional<Request> request_;  // guarded by mutex_: until it is over
  bool taken_ = false;              // guarded by mutex_
  int64_t number_ = 0;              // guarded by mutex_
  std::string told_;                // of the thread
  std::jthread thread_;
};

}  // namespace repld::cutover
