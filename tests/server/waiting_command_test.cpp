// A command takes as long as the daemon waits for servers and locks; whoever gave it is told.
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <future>

#include "support/pair.h"

using namespace repld::testing;

namespace {

namespace asio = boost::asio;

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

asio::local::stream_protocol::socket ask(asio::io_context& io, const Daemon& daemon) {
  asio::local::stream_protocol::socket socket(io);
  socket.connect(asio::local::stream_protocol::endpoint(daemon.directory() + "/control.sock"));
  const std::string request = "POST /api/v1/finalize HTTP/1.1\r\nHost: x\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  return socket;
}

// Gives a command and is gone before it is answered, as a replctl that is interrupted.
void ask_and_leave(const Daemon& daemon) {
  asio::io_context io;
  ask(io, daemon);
}

// Gives a command and has nothing more to say, as nc -N.
std::string ask_and_listen(const Daemon& daemon) {
  asio::io_context io;
  auto socket = ask(io, daemon);
  socket.shutdown(asio::socket_base::shutdown_send);
  std::string answer;
  boost::system::error_code ended;
  asio::read(socket, asio::dynamic_buffer(answer), ended);
  return answer;
}

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

  TEST_CASE("who leaves while a command waits makes room for others, and the command goes on") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    Waiting finalize(pair);
    // More than the daemon serves at once.
    for (int i = 0; i < 100; ++i) {
      ask_and_leave(pair.daemon);
      REQUIRE(pair.daemon.replctl({"status"}).exit_code == 0);
    }
    CHECK(finalize.waits(0s));
    finalize.stop_reading();
    CHECK(finalize.outcome().exit_code == 0);
    CHECK(pair.daemon.wait_for_state("stopped", 20s));
    CHECK(pair.count(pair.target.dsn, "repld.progress") == 0);
  }

  TEST_CASE("who says no more but listens while a command waits is answered") {
    Pair pair;
    pair.on_both("create table a (id int primary key)");
    REQUIRE(pair.begin());
    pqxx::connection connection(pair.target.dsn);
    auto reading = std::make_unique<pqxx::work>(connection);
    reading->exec("select * from public.a");
    auto answer = std::async(std::launch::async, [&pair] { return ask_and_listen(pair.daemon); });
    CHECK(eventually(
        10s, [&] { return has(pair.daemon.replctl({"events"}).out, "for locks on public.a"); }));
    reading.reset();
    const std::string text = answer.get();
    CHECK_MESSAGE(has(text, "HTTP/1.1 200"), text);
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
