// HTTP over TCP (read-only) and over a Unix socket (commands too), on the control thread.
//
// Bounded against any peer: header and body sizes, a deadline for each request and answer, a number
// of connections. A peer that breaks a rule loses its connection, nothing else.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "control/routes.h"

namespace repld::control {

class HttpListener {
 public:
  // Listens at once. `listen` is host:port; port 0 takes a free one. Borrows `port` and `io` for
  // its lifetime. Throws Error(config) when it cannot.
  HttpListener(boost::asio::io_context& io, const std::string& listen, const ControlPort& port);

  // host:port as bound.
  std::string address() const;

 private:
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer again_;
  const ControlPort& port_;
};

class SocketListener {
 public:
  // Takes the place of a socket that nobody answers on; mode 0660. Throws Error(config).
  SocketListener(boost::asio::io_context& io, const std::string& path, const ControlPort& port);
  ~SocketListener();

 private:
  void accept();

  const std::string path_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::steady_timer again_;
  const ControlPort& port_;
};

}  // namespace repld::control
