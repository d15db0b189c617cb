#include "support/tcp_proxy.h"

#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace repld::testing {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr size_t kWaitingMax = 8 << 20;  // bytes on their way in one direction

// Read by every connection; the proxy's thread only.
struct Weather {
  std::chrono::milliseconds delay{0};
  bool stalled = false;
};

class Connection;

// One direction of one connection. Bytes leave `delay` after they came.
class Lane {
 public:
  Lane(const Weather& weather, tcp::socket& from, tcp::socket& to, asio::io_context& io)
      : weather_(weather), from_(from), to_(to), timer_(io) {}

  void start(const std::shared_ptr<Connection>& owner) { read(owner); }
  void send(const std::shared_ptr<Connection>& owner);
  void stop() { timer_.cancel(); }

 private:
  struct Piece {
    Clock::time_point due;
    std::string bytes;  // empty: the end
  };

  void read(const std::shared_ptr<Connection>& owner);
  void write(const std::shared_ptr<Connection>& owner);

  const Weather& weather_;
  tcp::socket& from_;
  tcp::socket& to_;
  asio::steady_timer timer_;
  std::array<char, 65536> buffer_{};
  std::deque<Piece> waiting_;
  size_t waiting_bytes_ = 0;
  bool reading_ = false;
  bool writing_ = false;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& io, const Weather& weather, tcp::socket client)
      : client_(std::move(client)),
        server_(io),
        up_(weather, client_, server_, io),
        down_(weather, server_, client_, io) {}

  void start(int target_port) {
    const tcp::endpoint target(asio::ip::address_v4::loopback(),
                               static_cast<unsigned short>(target_port));
    server_.async_connect(target, [self = shared_from_this()](boost::system::error_code failure) {
      if (failure) {
        self->reset();
        return;
      }
      boost::system::error_code ignored;
      self->client_.set_option(tcp::no_delay(true), ignored);
      self->server_.set_option(tcp::no_delay(true), ignored);
      self->up_.start(self);
      self->down_.start(self);
    });
  }

  void go_on() {
    up_.send(shared_from_this());
    down_.send(shared_from_this());
  }

  void reset() {
    up_.stop();
    down_.stop();
    for (tcp::socket* socket : {&client_, &server_}) {
      boost::system::error_code ignored;
      socket->set_option(asio::socket_base::linger(true, 0), ignored);
      socket->close(ignored);
    }
  }

 private:
  tcp::socket client_;
  tcp::socket server_;
  Lane up_;
  Lane down_;
};

void Lane::read(const std::shared_ptr<Connection>& owner) {
  if (reading_ || waiting_bytes_ >= kWaitingMax || !from_.is_open()) {
    return;
  }
  reading_ = true;
  from_.async_read_some(
      asio::buffer(buffer_), [this, owner](boost::system::error_code failure, size_t length) {
        reading_ = false;
        if (failure == asio::error::operation_aborted) {
          return;
        }
        // What was sent before a reset is on its way already, and arrives.
        waiting_bytes_ += length;
        waiting_.push_back({Clock::now() + weather_.delay, std::string(buffer_.data(), length)});
        send(owner);
        if (!failure) {
          read(owner);
        }
      });
}

void Lane::send(const std::shared_ptr<Connection>& owner) {
  if (writing_ || weather_.stalled || waiting_.empty() || !to_.is_open()) {
    return;
  }
  writing_ = true;
  timer_.expires_at(waiting_.front().due);
  timer_.async_wait([this, owner](boost::system::error_code failure) {
    writing_ = false;
    if (!failure && !weather_.stalled) {
      write(owner);
    }
  });
}

void Lane::write(const std::shared_ptr<Connection>& owner) {
  if (waiting_.front().bytes.empty()) {
    boost::system::error_code ignored;
    to_.shutdown(tcp::socket::shutdown_send, ignored);
    return;
  }
  writing_ = true;
  asio::async_write(to_, asio::buffer(waiting_.front().bytes),
                    [this, owner](boost::system::error_code failure, size_t length) {
                      writing_ = false;
                      if (failure == asio::error::operation_aborted) {
                        return;
                      }
                      // To a peer that has gone nothing arrives; the other direction goes on.
                      (void)length;
                      waiting_bytes_ -= waiting_.front().bytes.size();
                      waiting_.pop_front();
                      read(owner);
                      send(owner);
                    });
}

}  // namespace

struct TcpProxy::State {
  explicit State(int target)
      : target_port(target),
        acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        work(asio::make_work_guard(io)) {}

  void accept() {
    acceptor.async_accept([this](boost::system::error_code failure, tcp::socket client) {
      if (failure) {
        return;
      }
      ++accepted;
      const auto connection = std::make_shared<Connection>(io, weather, std::move(client));
      if (refusing) {
        connection->reset();
      } else {
        connections.erase(std::remove_if(connections.begin(), connections.end(),
                                         [](const auto& weak) { return weak.expired(); }),
                          connections.end());
        connections.push_back(connection);
        connection->start(target_port);
      }
      accept();
    });
  }

  // Runs it on the proxy's thread and waits.
  template <typename Act>
  void act(Act&& what) {
    std::promise<void> done;
    asio::post(io, [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  template <typename Act>
  void each(Act&& what) {
    for (const auto& weak : connections) {
      if (const auto connection = weak.lock()) {
        what(*connection);
      }
    }
  }

  const int target_port;
  asio::io_context io;
  Weather weather;
  bool refusing = false;
  std::atomic<int> accepted{0};
  tcp::acceptor acceptor;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::vector<std::weak_ptr<Connection>> connections;
  std::thread thread;
};

TcpProxy::TcpProxy(int target_port, std::chrono::milliseconds one_way_delay)
    : state_(std::make_unique<State>(target_port)) {
  port_ = state_->acceptor.local_endpoint().port();
  state_->weather.delay = one_way_delay;
  state_->accept();
  state_->thread = std::thread([this] { state_->io.run(); });
}

TcpProxy::~TcpProxy() {
  state_->act([this] { state_->each([](Connection& connection) { connection.reset(); }); });
  state_->io.stop();
  state_->thread.join();
}

void TcpProxy::delay(std::chrono::milliseconds one_way) {
  state_->act([&] { state_->weather.delay = one_way; });
}

void TcpProxy::cut() {
  state_->act([this] { state_->each([](Connection& connection) { connection.reset(); }); });
}

void TcpProxy::refuse(bool on) {
  state_->act([&] { state_->refusing = on; });
}

void TcpProxy::stall(bool on) {
  state_->act([&] {
    state_->weather.stalled = on;
    if (!on) {
      state_->each([](Connection& connection) { connection.go_on(); });
    }
  });
}

int TcpProxy::accepted() const { return state_->accepted; }

}  // namespace repld::testing
