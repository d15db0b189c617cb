// Takes a fence: ties a snapshot of the source to the state of the target while both are in use.
// Why and when it is right: core/fence. The steps, each of which may find that it must begin again:
//   1 source transaction, REPEATABLE READ. No table is locked: TRUNCATE and rewrites are not
//     MVCC-safe, so whoever reads one locks it then and asks whether it is in the same file still
//   2 the gate is closed: the applier stops at a commit edge
//   3 snapshot and insert position of the source in one statement
//   4 a marker from another session that waits for no standby: the stream passes the position soon,
//     if it has not done so already, so its answer is read only if that comes to nothing
//   5 what the snapshot shows is applied, and made durable by a COMMIT that is sent right behind it
//   6 snapshot of the target, in one message; the gate is opened, unless the fence is held
// While others write, the applier is so kept for three round trips: 3, 5 and 6.
// Nothing of a fence outlives the process, and the application waits for nothing of it.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "link/fence_gate.h"
#include "link/shared.h"
#include "pg/connection.h"
#include "pg/session.h"
#include "pg/snapshot.h"

namespace repld::link {

struct FenceOptions {
  bool hold = false;  // the target stays at the fence until release()
  // For one snapshot. Until the stream has passed it the target goes on with what belongs before
  // it, so a link that lags is not held up by this; what comes after waits.
  std::chrono::milliseconds reach_within{10'000};
  std::chrono::milliseconds give_up_after{60'000};
};

// An id that the source assigned after all that has begun or committed there so far.
uint32_t fresh_xid(pg::Session& source);

// What a fence is taken with, good for one: whoever is in a hurry has them ready.
struct FenceSessions {
  // Throws Error; refused when the source is a standby.
  explicit FenceSessions(const Settings& settings);

  pg::Connection source;
  pg::Connection marker;
  pg::Connection target;
};

class Fence {
 public:
  // Blocks until it stands. Throws Error(refused) when it cannot be taken in time, naming the
  // transaction in the way; Error(connect) when the link or a server went away.
  Fence(Shared& shared, const FenceOptions& options, const std::stop_token& stop,
        std::unique_ptr<FenceSessions> sessions = nullptr);
  Fence(const Fence&) = delete;
  Fence& operator=(const Fence&) = delete;

  // To be imported on either side, as long as this object lives. The target's: not of a held fence.
  const pg::ExportedSnapshot& source_snapshot() const { return source_snapshot_; }
  const pg::ExportedSnapshot& target_snapshot() const { return target_snapshot_; }
  // As whom the session that is held owns the link. Whoever writes under a held fence makes sure in
  // the same transaction that this is still so: a session that has ended holds nothing.
  const std::string& owner() const { return gated_.owner; }
  // The target goes on. At the latest with the object.
  void release();

  int retakes() const { return retakes_; }
  // How long the applier was kept from going on as it liked, at the longest of the tries.
  double pause_seconds() const { return pause_seconds_; }

 private:
  struct Sight {
    SourceSnapshot snapshot;
    Lsn insert_lsn = Lsn::invalid;
  };
  struct Opener {
    void operator()(FenceGate* gate) const { gate->open(); }
  };

  Sight look();
  bool attempt(const FenceOptions& options, FenceGate::Clock::time_point deadline,
               const std::stop_token& stop);
  [[noreturn]] void give_up(const FenceOptions& options) const;

  const Gated gated_;
  const std::unique_ptr<FenceSessions> sessions_;
  pg::Connection& source_;
  pg::Connection& marker_;
  pg::Connection& target_;
  pg::ExportedSnapshot source_snapshot_;
  pg::ExportedSnapshot target_snapshot_;
  std::unique_ptr<FenceGate, Opener> closed_;  // of gated_, while the applier is kept
  int retakes_ = 0;
  std::optional<uint32_t> in_the_way_;
  FenceGate::Clock::time_point closed_at_;
  double pause_seconds_ = 0;
};

}  // namespace repld::link
