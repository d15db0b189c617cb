// One run: source, network, target and the daemon's two threads, in one thread and virtual time.
//
// The applier runs as it is. Whatever it asks of its port is a step, in which everything else may
// move: the source commits, messages arrive and feedback goes out, the target executes commands and
// flushes WAL, a fault strikes. So an end of the process, of a connection or of a server falls
// between any two things that the daemon does.
#pragma once

#include <fmt/format.h>

#include <memory>

#include "apply/applier.h"
#include "sim/checks.h"
#include "sim/scenario.h"
#include "sim/sim_fence.h"
#include "sim/sim_port.h"

namespace repld::sim {

class World {
 public:
  World(const Scenario& scenario, Trace trace);

  // Until the target has everything and the slot knows. Throws Broken.
  void run();

  // For the port.
  enum class Pace { busy, waiting };
  void step(Pace pace);
  void wait(std::chrono::milliseconds timeout);
  void require_target();  // throws Error(connect) when the connection to it is gone
  bool target_gone() const;
  void give_up_when_stopped();
  void run_ddl(bool locked);  // by another session of the daemon
  Random& random() { return random_; }
  int64_t now_us() const { return now_us_; }

  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (trace_) {
      trace_(fmt::format("step {:5} {:9.3f} s  {}", steps_, static_cast<double>(now_us_) / 1e6,
                         fmt::format(format, std::forward<Args>(args)...)));
    }
  }

 private:
  struct Session;
  struct DaemonKilled {};

  void run_session();
  std::optional<TransactionPart> next_part();
  std::optional<TransactionPart> pop(BoundedQueue<TransactionPart>& queue);
  void read_some();
  void judge(const Error& error, const Session& session);
  void end_well(const Session& session, size_t first);
  void advance(int64_t us);
  void commit_on_source();
  void heal();
  void strike();
  void strike(FaultKind kind);
  void drift(DriftKind kind);
  void look_at_source();
  void move_fence();
  void begin_fence();
  void end_fence(bool stood);
  void tell_slot(Lsn confirmed);
  void on_commit(TargetCommit& commit);
  apply::ApplyObserver observer();
  bool arrived() const;
  bool level() const;  // all that is committed has arrived, and is confirmed
  bool finished() const;

  const Scenario scenario_;
  const Trace trace_;
  Random random_;
  FakeSource source_;
  FakeTarget target_;
  Session* session_ = nullptr;
  std::shared_ptr<link::FenceGate> gate_;  // of the session
  Outages outages_;
  std::unique_ptr<SimFence> fence_;  // being taken or held
  bool fence_calm_ = false;          // nothing is in its way
  size_t fences_left_ = 0;
  uint64_t fence_pace_ = 1;
  uint64_t fence_sleeps_ = 0;         // for so many steps, fewer than its pace
  bool woken_ = false;                // the applier, by the fence
  std::vector<DriftKind> drift_due_;  // waits for the target's open transaction to end
  size_t next_fault_ = 0;
  uint64_t steps_ = 0;
  int64_t now_us_ = 0;
  bool repair_ = false;  // an operator acts before the next session
};

}  // namespace repld::sim
