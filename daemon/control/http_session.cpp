#include "control/http_session.h"

#include <poll.h>

#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>

namespace repld::control {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr size_t kConnectionsMax = 64;  // of each kind of access
constexpr uint32_t kHeaderBytesMax = 8 << 10;
constexpr uint64_t kBodyBytesMax = 4 << 10;
constexpr std::chrono::seconds kRequestTimeout{10};
// Of what is read only; a command waits for servers and locks as long as that takes.
constexpr std::chrono::seconds kAnswerTimeout{120};

// Apart, so that a crowd on the network does not shut the operator out of the control socket.
std::atomic<size_t> open_read_only{0};
std::atomic<size_t> open_full{0};

std::atomic<size_t>& open_connections(Access access) {
  return access == Access::full ? open_full : open_read_only;
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(StreamSocket socket, const ControlPort& port, Access access)
      : stream_(std::move(socket)), port_(port), access_(access) {
    ++open_connections(access_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { leave(); }

  void read() {
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(kBodyBytesMax);
    stream_.expires_after(kRequestTimeout);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code failure, size_t) {
                       if (!failure) {
                         self->answer();
                       }
                     });
  }

 private:
  void answer() {
    if (access_ == Access::full) {
      stream_.expires_never();
      watch_for_leaving();
    } else {
      stream_.expires_after(kAnswerTimeout);
    }
    const auto& request = parser_->get();
    const Request asked{std::string(request.method_string()), std::string(request.target()),
                        request.body()};
    // The answer may come from another thread: it goes back to ours.
    route(port_, access_, asked, [self = shared_from_this()](Response response) {
      boost::asio::dispatch(
          self->stream_.get_executor(),
          [self, response = std::move(response)]() mutable { self->write(std::move(response)); });
    });
  }

  // A client that was interrupted while a command waits gives up its place for others at once; the
  // command goes on, and nobody hears its answer. One that only has nothing more to say (nc -N) is
  // readable too, and still waits for it.
  void watch_for_leaving() {
    stream_.socket().async_wait(boost::asio::socket_base::wait_error,
                                [weak = weak_from_this(), turn = turn_](beast::error_code failure) {
                                  const auto self = weak.lock();
                                  if (self && !failure && self->turn_ == turn && self->is_gone()) {
                                    self->leave();
                                  }
                                });
  }

  bool is_gone() {
    pollfd state{stream_.socket().native_handle(), 0, 0};
    return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
  }

  void leave() {
    if (open_) {
      open_ = false;
      --open_connections(access_);
      stream_.close();
    }
  }

  void write(Response response) {
    ++turn_;
    if (!open_) {
      return;
    }
    const auto& request = parser_->get();
    http::response<http::string_body> answer(static_cast<http::status>(response.status),
                                             request.version());
    answer.set(http::field::content_type, response.content_type);
    answer.set(http::field::cache_control, "no-store");
    answer.keep_alive(request.keep_alive());
    answer.body() = std::move(response.body);
    answer.prepare_payload();
    if (request.method() == http::verb::head) {
      answer.body().clear();  // Content-Length stays what GET would have
    }
    answer_.emplace(std::move(answer));
    stream_.expires_after(kRequestTimeout);
    http::async_write(stream_, *answer_,
                      [self = shared_from_this()](beast::error_code failure, size_t) {
                        if (!failure && self->answer_->keep_alive()) {
                          self->read();
                        }
                      });
  }

  beast::basic_stream<boost::asio::generic::stream_protocol> stream_;
  const ControlPort& port_;
  const Access access_;
  bool open_ = true;
  uint64_t turn_ = 0;  // answers begun
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> answer_;
};

}  // namespace

void serve(StreamSocket socket, const ControlPort& port, Access access) {
  if (open_connections(access).load() >= kConnectionsMax) {
    return;
  }
  std::make_shared<Session>(std::move(socket), port, access)->read();
}

}  // namespace repld::control
