// Asks the daemon over its control socket: HTTP on a Unix socket, blocking, with a timeout.
#pragma once

#include <chrono>
#include <string>

namespace repld::cli {

struct Answer {
  bool reached = false;  // false: nobody listens, or the connection broke
  int status = 0;
  std::string body;
};

class Client {
 public:
  explicit Client(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  Answer get(const std::string& target) const { return ask("GET", target); }
  Answer post(const std::string& target) const { return ask("POST", target); }

  const std::string& socket_path() const { return socket_path_; }

 private:
  Answer ask(const char* method, const std::string& target) const;

  const std::string socket_path_;
};

}  // namespace repld::cli
