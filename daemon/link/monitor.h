// Watches the source of a link from a connection of its own, once a second: clock and insert
// position (for lag), the slot's health, whether the tables are still what was proven, and whether
// the server is about to go down.
//
// A source that shuts down waits for its walsenders, and a walsender waits until its client has
// confirmed everything, which the confirm margin delays on purpose. So when the server refuses
// new sessions because it is going down, the monitor ends the stream. It ends it too when the
// publication is no longer what the link needs: the next attempt then says what is wrong.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/wakeup.h"
#include "core/lag.h"
#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

// Answers with a position of the source: everything committed before the question lies below it.
// Empty: the source cannot be reached now.
using MarkReply = std::function<void(std::optional<Lsn> lsn)>;

class Monitor {
 public:
  // Borrows `shared`; `end_stream` is called from the monitor's thread.
  Monitor(Shared& shared, std::function<void()> end_stream);

  void start();
  void stop();

  // Any thread; `reply` is called on the monitor's thread.
  void mark(MarkReply reply);

 private:
  void run(const std::stop_token& stop);
  void look();
  bool resting() const;
  void sample();
  void watch_slot();
  void watch_slot_creation(bool waiting);
  void watch_publication();
  void watch_proofs();
  void publish_lag();
  void push_along();
  void answer_marks(bool reachable);
  Lsn write_marker(const char* content);
  int64_t source_now_us() const;

  Shared& shared_;
  const std::function<void()> end_stream_;
  Wakeup wakeup_;
  Synchronized<std::vector<MarkReply>> marks_;
  std::jthread thread_;

  std::unique_ptr<pg::Session> source_;
  LagClock lag_;
  Lsn last_received_ = Lsn::invalid;
  int stuck_seconds_ = 0;
  std::string told_blocker_;  // hint about whom a new slot waits for; names the backend
  std::chrono::steady_clock::time_point sampled_at_;
  std::chrono::steady_clock::time_point pushed_at_;
  std::chrono::steady_clock::time_point publication_seen_at_;
  std::chrono::steady_clock::time_point shapes_seen_at_;
  std::chrono::steady_clock::time_point connect_after_;
};

}  // namespace repld::link
