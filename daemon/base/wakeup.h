// Wakes a thread that sits in poll(): an eventfd that stays readable until drained.
// notify() may be called from any thread and from a signal handler.
#pragma once

namespace repld {

class Wakeup {
 public:
  Wakeup();  // throws Error(internal) when the process is out of descriptors
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  void notify() noexcept;
  // Forgets notifications so far. Drain first, then look at what may have changed.
  void drain() noexcept;
  int fd() const { return fd_; }

 private:
  int fd_;
};

struct PollResult {
  bool readable = false;
  bool writable = false;
};

// Waits until `socket` is ready as asked or `timeout_ms` (negative: none) has passed.
PollResult poll_socket(int socket, bool want_write, int timeout_ms);

// Waits until `socket` (ignored when negative) is ready as asked, the wakeup was notified, or
// `timeout_ms` (negative: none) has passed. Does not drain the wakeup.
PollResult poll_socket(int socket, bool want_write, const Wakeup& wakeup, int timeout_ms);

}  // namespace repld
