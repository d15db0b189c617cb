// One direction of replication: runs attempts (link/session) until told to stop, and decides
// after each what to do: try again with back-off, wait for the operator, or end the process.
#pragma once

#include <stop_token>
#include <thread>

#include "base/wakeup.h"
#include "link/monitor.h"
#include "link/shared.h"

namespace repld::link {

class Link {
 public:
  Link(Settings settings, Hooks hooks);
  ~Link();

  void start();
  // Ends the running attempt cleanly and waits for the threads.
  void stop();

  // Any thread. A pause by the operator outlives a restart of the daemon.
  void pause();
  void resume();
  // Ends the link for good; then it rests until resume(), which sets it up afresh. `reply` gets
  // nothing on success.
  using FinalizeReply = std::function<void(const std::optional<ErrorStatus>& failure)>;
  void finalize(FinalizeReply reply);
  void mark(MarkReply reply) { monitor_.mark(std::move(reply)); }

  const Settings& settings() const { return shared_.settings; }
  // As of now; lag and the slot as of the monitor's last look.
  LinkStatus status() const;
  std::vector<Event> events_after(int64_t id, size_t limit) const {
    return shared_.events.after(id, limit);
  }

 private:
  enum class Wish { run, pause, finalize, rest };

  void supervise(const std::stop_token& stop);
  void attempt(const std::stop_token& stop);
  void run_session(const std::stop_token& stop);
  void rest_paused(const std::stop_token& stop);
  void finalize_now(const std::stop_token& stop);
  void fail(const Error& error);
  void wait(int64_t milliseconds, const std::stop_token& stop);  // negative: until told
  void end_attempt();
  void store_pause(bool paused);

  Shared shared_;
  Monitor monitor_;
  Wakeup wakeup_;
  Synchronized<Wish> wish_;
  Synchronized<std::stop_source> attempt_;
  Synchronized<std::vector<FinalizeReply>> finalize_replies_;
  int64_t backoff_ms_ = 0;
  std::string last_failure_;  // told once, not at every try
  std::jthread thread_;
};

}  // namespace repld::link
