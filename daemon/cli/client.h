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

  Answer get(const std::string& target) const { return ask("GET", target, kTimeout); }
  // `limit`: how long the answer may take, where the caller is in more of a hurry than the daemon.
  Answer post(const std::string& target, std::chrono::milliseconds limit = kTimeout) const {
    return ask("POST", target, limit);
  }

  const std::string& socket_path() const { return socket_path_; }

 private:
  static constexpr std::chrono::seconds kTimeout{130};  // longer than the daemon takes for any

  Answer ask(const char* method, const std::string& target, std::chrono::milliseconds limit) const;

  const std::string socket_path_;
};

}  // namespace repld::cli
