#include "base/wakeup.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

using namespace repld;

namespace {

bool notified(const Wakeup& wakeup) {
  pollfd fd = {wakeup.fd(), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 1;
}

struct SocketPair {
  int ends[2] = {-1, -1};
  SocketPair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0); }
  ~SocketPair() {
    hang_up();
    ::close(ends[0]);
  }
  void hang_up() {
    if (ends[1] >= 0) {
      ::close(ends[1]);
      ends[1] = -1;
    }
  }
};

constexpr int kPatienceMs = 10'000;

}  // namespace

TEST_CASE("a wakeup stays readable until it is drained, however often it was notified") {
  Wakeup wakeup;
  CHECK_FALSE(notified(wakeup));
  wakeup.notify();
  wakeup.notify();
  CHECK(notified(wakeup));
  CHECK(notified(wakeup));
  wakeup.drain();
  CHECK_FALSE(notified(wakeup));
  wakeup.drain();
  CHECK_FALSE(notified(wakeup));
}

TEST_CASE("poll_socket tells what the socket is ready for") {
  const Wakeup wakeup;
  SocketPair pair;
  PollResult result = poll_socket(pair.ends[0], false, wakeup, 0);
  CHECK_FALSE(result.readable);
  CHECK_FALSE(result.writable);
  result = poll_socket(pair.ends[0], true, wakeup, kPatienceMs);
  CHECK_FALSE(result.readable);
  CHECK(result.writable);
  REQUIRE(::write(pair.ends[1], "x", 1) == 1);
  result = poll_socket(pair.ends[0], false, wakeup, kPatienceMs);
  CHECK(result.readable);
  CHECK_FALSE(result.writable);
}

TEST_CASE("a socket can be waited for without a wakeup") {
  SocketPair pair;
  CHECK_FALSE(poll_socket(pair.ends[0], false, 0).readable);
  CHECK(poll_socket(pair.ends[0], true, kPatienceMs).writable);
  REQUIRE(::write(pair.ends[1], "x", 1) == 1);
  CHECK(poll_socket(pair.ends[0], false, kPatienceMs).readable);
}

TEST_CASE("a socket whose other end hung up is readable, so that the next read tells") {
  const Wakeup wakeup;
  SocketPair pair;
  pair.hang_up();
  CHECK(poll_socket(pair.ends[0], false, wakeup, kPatienceMs).readable);
}

TEST_CASE("poll_socket returns for a notified wakeup and leaves it notified") {
  using Clock = std::chrono::steady_clock;
  Wakeup wakeup;
  wakeup.notify();
  SocketPair pair;
  const Clock::time_point start = Clock::now();
  for (const int socket : {pair.ends[0], -1}) {
    CAPTURE(socket);
    const PollResult result = poll_socket(socket, false, wakeup, kPatienceMs);
    CHECK_FALSE(result.readable);
    CHECK_FALSE(result.writable);
  }
  CHECK(Clock::now() - start < std::chrono::milliseconds(kPatienceMs));
  CHECK(notified(wakeup));
}

TEST_CASE("poll_socket gives up after its timeout") {
  using Clock = std::chrono::steady_clock;
  const Wakeup wakeup;
  const Clock::time_point start = Clock::now();
  const PollResult result = poll_socket(-1, true, wakeup, 20);
  CHECK_FALSE(result.readable);
  CHECK_FALSE(result.writable);
  CHECK(Clock::now() - start >= std::chrono::milliseconds(19));
}
