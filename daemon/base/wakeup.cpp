#include "base/wakeup.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "core/error.h"

namespace repld {

namespace {

// poll() ignores negative descriptors.
PollResult poll_two(int wakeup, int socket, bool want_write, int timeout_ms) {
  pollfd fds[2] = {};
  fds[0].fd = wakeup;
  fds[0].events = POLLIN;
  fds[1].fd = socket;
  fds[1].events = static_cast<short>(want_write ? POLLIN | POLLOUT : POLLIN);
  if (::poll(fds, 2, timeout_ms) < 0 && errno != EINTR) {
    throw Error(ErrorKind::internal, "poll failed");
  }
  // Error and hang-up count as readable: the next read tells what happened.
  return {(fds[1].revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) != 0,
          (fds[1].revents & POLLOUT) != 0};
}

}  // namespace

Wakeup::Wakeup() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) {
    throw Error(ErrorKind::internal, "no descriptor left for an eventfd");
  }
}

Wakeup::~Wakeup() { ::close(fd_); }

void Wakeup::notify() noexcept {
  const uint64_t one = 1;
  // Fails only when the counter is full, in which case the descriptor is readable already.
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

void Wakeup::drain() noexcept {
  uint64_t count = 0;
  // Fails only when there was nothing to drain.
  [[maybe_unused]] const ssize_t got = ::read(fd_, &count, sizeof count);
}

PollResult poll_socket(int socket, bool want_write, int timeout_ms) {
  return poll_two(-1, socket, want_write, timeout_ms);
}

PollResult poll_socket(int socket, bool want_write, const Wakeup& wakeup, int timeout_ms) {
  return poll_two(wakeup.fd(), socket, want_write, timeout_ms);
}

}  // namespace repld
