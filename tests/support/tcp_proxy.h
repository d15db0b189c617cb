// A bad network on loopback: in front of a server, it delays bytes, cuts connections, refuses new
// ones, or goes silent while everything looks open.
#pragma once

#include <chrono>
#include <memory>

namespace repld::testing {

class TcpProxy {
 public:
  // Forwards 127.0.0.1:port() to 127.0.0.1:target_port on a thread of its own.
  explicit TcpProxy(int target_port, std::chrono::milliseconds one_way_delay = {});
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const { return port_; }

  // Each direction by itself; a round trip takes twice this. Holds for bytes that arrive later.
  void delay(std::chrono::milliseconds one_way);
  // Resets every open connection; new ones pass.
  void cut();
  // New connections are reset at once.
  void refuse(bool on);
  // Half-open: connections stay, and new ones are taken, but no byte passes until it is over.
  void stall(bool on);
  // Since the start, refused ones too.
  int accepted() const;

 private:
  struct State;

  std::unique_ptr<State> state_;
  int port_ = 0;
};

}  // namespace repld::testing
