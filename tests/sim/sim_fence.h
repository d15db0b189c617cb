// Who takes a fence in the simulation: the steps of link/fence, each at a moment of its own, with
// the real gate. What it finds is held against what the source knows of its snapshot.
#pragma once

#include <memory>
#include <optional>

#include "link/fence_gate.h"
#include "sim/fake_source.h"
#include "sim/fake_target.h"

namespace repld::sim {

// The longest are for a target whose every step takes as long as it likes.
struct FenceTerms {
  bool hold = false;
  int64_t pause_max_ms = 20'000;
  int64_t give_up_after_ms = 300'000;
};

// Of the servers, when its connections to them were made.
struct Outages {
  uint64_t source = 0;
  uint64_t target = 0;
};

class SimFence {
 public:
  SimFence(FakeSource& source, const FakeTarget& target, std::shared_ptr<link::FenceGate> gate,
           const FenceTerms& terms, const Outages& outages, int64_t now_ms);
  ~SimFence() { release(); }
  SimFence(const SimFence&) = delete;
  SimFence& operator=(const SimFence&) = delete;

  // The next step; false when the fence stood and is released. Throws Error as link::Fence does,
  // and Broken. `outages` as of now.
  bool step(const Outages& outages, int64_t now_ms, Random& random);
  // What it looked at last, and what came of it.
  std::string show() const;

 private:
  enum class At { close, snapshot, position, marker, judging, target_snapshot, standing, held };

  void require_source(const Outages& outages) const;
  void require_target(const Outages& outages) const;
  void judged(const link::FenceGate::Judgement& judgement, int64_t now_ms, Random& random);
  void check_in_the_way(uint32_t xid) const;
  [[noreturn]] void give_up() const;
  void check_stands() const;
  void check_target(size_t count, const char* what) const;
  void release();

  FakeSource& source_;
  const FakeTarget& target_;
  const std::shared_ptr<link::FenceGate> gate_;
  const FenceTerms terms_;
  const Outages connected_;
  const int64_t give_up_at_ms_;
  At at_ = At::close;
  bool closed_ = false;
  int64_t not_before_ms_ = 0;
  int64_t judged_by_ms_ = 0;
  SnapshotTaken snapshot_;
  Lsn insert_lsn_ = Lsn::invalid;
  std::optional<uint32_t> in_the_way_;
  int retakes_ = 0;
  size_t transactions_ = 0;          // of the source, on the target's snapshot
  size_t transactions_durable_ = 0;  // and flushed there
};

}  // namespace repld::sim
