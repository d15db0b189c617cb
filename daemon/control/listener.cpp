#include "control/listener.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "control/http_session.h"
#include "core/error.h"

namespace repld::control {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::milliseconds kBeforeNextAccept{200};

// When no descriptor is left, most likely, so that the next one would fail too.
void after_a_pause(asio::steady_timer& timer, const std::function<void()>& accept) {
  timer.expires_after(kBeforeNextAccept);
  timer.async_wait([accept](error_code failure) {
    if (!failure) {
      accept();
    }
  });
}

Error cannot_listen(const std::string& where, const error_code& failure) {
  Error error(ErrorKind::config, fmt::format("cannot listen on {}", where));
  error.detail("{}", failure.message());
  return error;
}

asio::ip::tcp::endpoint resolve(asio::io_context& io, const std::string& listen) {
  const size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') {
    host = host.substr(1, host.size() - 2);
  }
  error_code failure;
  const auto found = asio::ip::tcp::resolver(io).resolve(host, listen.substr(colon + 1), failure);
  if (failure || found.empty()) {
    throw cannot_listen(listen, failure);
  }
  return *found.begin();
}

// A socket file that a dead daemon left is removed; one that answers belongs to a living one.
void remove_stale(asio::io_context& io, const std::string& path) {
  asio::local::stream_protocol::socket probe(io);
  error_code failure;
  probe.connect(asio::local::stream_protocol::endpoint(path), failure);
  if (!failure) {
    throw Error(ErrorKind::refused, fmt::format("another repld answers on {}", path));
  }
  if (failure == asio::error::connection_refused) {
    ::unlink(path.c_str());
  }
}

}  // namespace

HttpListener::HttpListener(asio::io_context& io, const std::string& listen, const ControlPort& port)
    : acceptor_(io), again_(io), port_(port) {
  const auto endpoint = resolve(io, listen);
  error_code failure;
  acceptor_.open(endpoint.protocol(), failure);
  if (!failure) acceptor_.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor_.bind(endpoint, failure);
  if (!failure) acceptor_.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) {
    throw cannot_listen(listen, failure);
  }
  accept();
}

std::string HttpListener::address() const {
  const auto endpoint = acceptor_.local_endpoint();
  const bool v6 = endpoint.address().is_v6();
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", endpoint.address().to_string(), v6 ? "]" : "",
                     endpoint.port());
}

void HttpListener::accept() {
  acceptor_.async_accept([this](error_code failure, asio::ip::tcp::socket socket) {
    if (failure == asio::error::operation_aborted) {
      return;
    }
    if (failure) {
      after_a_pause(again_, [this] { accept(); });
      return;
    }
    serve(StreamSocket(std::move(socket)), port_, Access::read_only);
    accept();
  });
}

SocketListener::SocketListener(asio::io_context& io, const std::string& path,
                               const ControlPort& port)
    : path_(path), acceptor_(io), again_(io), port_(port) {
  remove_stale(io, path);
  const asio::local::stream_protocol::endpoint endpoint(path);
  error_code failure;
  acceptor_.open(endpoint.protocol(), failure);
  if (!failure) acceptor_.bind(endpoint, failure);
  if (!failure && ::chmod(path.c_str(), 0660) != 0) {
    failure = error_code(errno, boost::system::system_category());
  }
  if (!failure) acceptor_.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) {
    throw cannot_listen(path, failure);
  }
  accept();
}

SocketListener::~SocketListener() { ::unlink(path_.c_str()); }

void SocketListener::accept() {
  acceptor_.async_accept([this](error_code failure, asio::local::stream_protocol::socket socket) {
    if (failure == asio::error::operation_aborted) {
      return;
    }
    if (failure) {
      after_a_pause(again_, [this] { accept(); });
      return;
    }
    serve(StreamSocket(std::move(socket)), port_, Access::full);
    accept();
  });
}

}  // namespace repld::control
