#include "base/bounded_queue.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <memory>
#include <thread>

using namespace repld;

namespace {

bool notified(const Wakeup& wakeup) {
  pollfd fd = {wakeup.fd(), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 1;
}

struct Fixture {
  Wakeup producer;
  Wakeup consumer;
  BoundedQueue<std::unique_ptr<int>> queue{100, producer, consumer};

  bool push(int value, size_t bytes) {
    auto item = std::make_unique<int>(value);
    const bool taken = queue.try_push(item, bytes);
    CHECK((item == nullptr) == taken);
    return taken;
  }
  int pop() {
    std::optional<std::unique_ptr<int>> item = queue.try_pop();
    return item ? **item : -1;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "items come out in the order in which they went in") {
  CHECK(queue.empty());
  CHECK(push(1, 10));
  CHECK(push(2, 10));
  CHECK_FALSE(queue.empty());
  CHECK(pop() == 1);
  CHECK(push(3, 10));
  CHECK(pop() == 2);
  CHECK(pop() == 3);
  CHECK(pop() == -1);
  CHECK(queue.empty());
}

TEST_CASE_FIXTURE(Fixture, "an item that does not fit is left with its owner until there is room") {
  CHECK(push(1, 60));
  CHECK(push(2, 40));
  CHECK_FALSE(push(3, 1));
  CHECK(pop() == 1);
  CHECK_FALSE(push(3, 61));
  CHECK(push(3, 60));
  CHECK(pop() == 2);
  CHECK(pop() == 3);
}

TEST_CASE_FIXTURE(Fixture, "an item above the bound enters an empty queue, alone") {
  CHECK(push(1, 1));
  CHECK_FALSE(push(2, 1000));
  CHECK(pop() == 1);
  CHECK(push(2, 1000));
  CHECK_FALSE(push(3, 1));
  CHECK(pop() == 2);
  CHECK(push(3, 100));
}

TEST_CASE_FIXTURE(Fixture, "each side is woken by what the other did, and by nothing else") {
  CHECK(pop() == -1);
  CHECK_FALSE(notified(producer));
  CHECK(push(1, 100));
  CHECK(notified(consumer));
  CHECK_FALSE(notified(producer));
  consumer.drain();
  CHECK_FALSE(push(2, 1));
  CHECK_FALSE(notified(consumer));
  CHECK(pop() == 1);
  CHECK(notified(producer));
  CHECK_FALSE(notified(consumer));
}

TEST_CASE("two threads that sleep in poll pass every item in order and do not get stuck") {
  constexpr int kItems = 20'000;
  constexpr int kPatienceMs = 10'000;
  Wakeup producer;
  Wakeup consumer;
  BoundedQueue<int> queue(64, producer, consumer);
  bool pushed_all = true;
  std::thread pusher([&] {
    for (int i = 0; i < kItems && pushed_all; ++i) {
      int item = i;
      while (!queue.try_push(item, 8)) {
        pollfd fd = {producer.fd(), POLLIN, 0};
        if (::poll(&fd, 1, kPatienceMs) != 1) {
          pushed_all = false;
          return;
        }
        producer.drain();
      }
    }
  });
  int next = 0;
  bool in_order = true;
  while (next < kItems) {
    if (const std::optional<int> item = queue.try_pop()) {
      in_order = in_order && *item == next;
      ++next;
      continue;
    }
    pollfd fd = {consumer.fd(), POLLIN, 0};
    if (::poll(&fd, 1, kPatienceMs) != 1) {
      break;
    }
    consumer.drain();
  }
  pusher.join();
  CHECK(pushed_all);
  CHECK(next == kItems);
  CHECK(in_order);
}
