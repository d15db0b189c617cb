// A command takes as long as the daemon waits for servers and locks; whoever gave it is told.
#include <doctest/doctest.h>

#include <cstdlib>
#include <future>

#include "support/pair.h"

using namespace repld::testing;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Long enough that it is told; script/test --all waits longer than any request may take.
std::chrono::seconds waiting_time() {
  const char* given = std::getenv("REPLD_TEST_WAIT_SECONDS");
  return std::chrono::seconds(given == nullptr ? 5 : std::atoi(given));
}

// A finalize that waits for a reader of the table.
class Waiting {
 public:
  explicit Waiting(const Pair& pair)
      : connection_(pair.target.dsn), reading_(std::make_unique<pqxx::work>(connection_)) {
    reading_->exec("select * from public.a");
    finalize_ = std::async(std::launch::async, [&pair] {
      return pair.daemon.replctl({"finalize", "--yes"});
    });
    REQUIRE(eventually(
        10s, [&] { return has(pair.daemon.replctl({"events"}).out, "for locks on public.a"); }));
  }

  bool waits(std::chrono::seconds duration) {
    return finalize_.wait_for(duration) == std::future_status::timeout;
  }
  void stop_reading() { reading_.reset(); }
  Outcome outcome() { return finalize_.get(); }

 private:
  pqxx::connection connection_;
  std::unique_ptr<pqxx::work> reading_;
  std::future<Outcome> finalize_;
};

}  // namespace

TEST_SUITE("waiting_command") {
  TEST_CASE("finalize waits for a lock, says so, and ends well") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    Waiting finalize(pair);
    CHECK(finalize.waits(waiting_time()));
    finalize.stop_reading();
    const Outcome ended = finalize.outcome();
    CHECK(ended.exit_code == 0);
    CHECK_MESSAGE(has(ended.err, "still at work"), ended.err);
    CHECK(has(ended.out, "done"));
  }

  TEST_CASE("a daemon that dies while a command waits is not taken for one that never was") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    Waiting finalize(pair);
    pair.daemon.kill9();
    const Outcome ended = finalize.outcome();
    CHECK(ended.exit_code == 3);
    CHECK_MESSAGE(has(ended.err, "ended before it answered"), ended.err);
    CHECK_FALSE(has(ended.err, "no daemon answers"));
    CHECK(has(pair.daemon.replctl({"finalize", "--yes"}).err, "no daemon answers"));
  }
}
