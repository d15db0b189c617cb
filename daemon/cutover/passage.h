// One cutover on its way: what each state of core/cutover_fsm does on the two servers.
//
// It owns the sessions that hold the locks. When it goes, whatever was not committed is rolled back
// by the servers. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/cutover_fsm.h"
#include "cutover/course.h"
#include "cutover/new_primary.h"
#include "cutover/old_primary.h"
#include "cutover/preflight.h"
#include "link/fence.h"

namespace repld::cutover {

// Is told what happens, on the thread of the passage.
struct Witness {
  std::function<void(const std::string& text)> came_of_it;  // of the step, for people
  std::function<void(const Course& course, const Preflight& preflight)> found;
  // The point of no return is passed. Seconds from the lock; none after a crash.
  std::function<void(const Course& course, std::optional<double> freeze_seconds)> moved;
};

class Passage {
 public:
  // Borrows the links and the proof.
  Passage(const Links& links, const PrepareProof& prepare_proof, Witness witness,
          std::stop_token stop)
      : links_(links),
        prepare_proof_(prepare_proof),
        witness_(std::move(witness)),
        stop_(std::move(stop)) {}

  // A new one, to be checked first; one that a journal tells of.
  void embark(const Request& request, const Config& config);
  void resume(const Course& course, const Config& config) {
    course_ = course;
    config_ = config;
  }

  // Throws Error.
  CutoverEvent perform(CutoverState state);
  const Course& course() const { return course_; }

 private:
  using Clock = std::chrono::steady_clock;

  void check();
  void arm();
  void note();
  void quiet();
  void freeze();
  void drain();
  void prove();
  void prepare();
  void close();
  CutoverEvent settle();
  void open();
  void complete();
  void bring_back_along();
  void withdraw();

  link::Link& carrier() const { return links_.carrier(course_.to); }
  link::Link& back() const { return links_.back(course_.to); }
  const pg::Server& old_server() const { return links_.server(other(course_.to)); }
  const pg::Server& new_server() const { return links_.server(course_.to); }
  std::string carrier_name() const { return carrier().settings().config.link.name; }
  std::string back_name() const { return back().settings().config.link.name; }
  std::string guard_script(pg::Session& old_primary) const;
  // Also sequences that no table uses, by their name.
  link::Carried carried() const;
  void require_same_tables() const;
  size_t require_last_proofs(const std::vector<TableName>& left_out) const;
  void require_closed() const;
  void require_proven_shapes(pg::Session& old_primary) const;
  // Until writers have waited for max_freeze. Throws Error(refused) when they have.
  std::chrono::milliseconds time_left() const;
  void forget_sessions();

  const Links& links_;
  const PrepareProof& prepare_proof_;
  const Witness witness_;
  const std::stop_token stop_;
  Config config_;
  Course course_;
  std::unique_ptr<OldPrimary> old_;
  std::unique_ptr<NewPrimary> new_;
  std::unique_ptr<link::FenceSessions> fence_sessions_;
  Prove prove_;
  std::unique_ptr<link::Fence> fence_;
  std::unique_ptr<pg::Session> old_catalog_;  // connected before the freeze
  std::string owner_;                         // of the carrier, at the fence
  std::string guard_script_;
  std::optional<Clock::time_point> frozen_at_;
};

}  // namespace repld::cutover
