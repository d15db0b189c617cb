// Asks the daemon over its control socket: HTTP on a Unix socket, blocking.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace repld::cli {

struct Answer {
  bool asked = false;    // false: nobody listens
  bool reached = false;  // false: and no answer came, in time or at all
  int status = 0;
  std::string body;
};

class Client {
 public:
  explicit Client(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  Answer get(const std::string& target) const { return ask("GET", target, "", kTimeout, {}); }
  // `limit`: how long the answer may take.
  Answer post(const std::string& target, std::chrono::milliseconds limit) const {
    return ask("POST", target, "", limit, {});
  }
  // A command takes as long as the daemon waits for servers and locks, but for a `limit`. `body`:
  // JSON, or empty. `slow` is called once when it takes more than a few seconds.
  Answer command(const std::string& target, const std::string& body,
                 std::optional<std::chrono::milliseconds> limit,
                 const std::function<void()>& slow) const {
    return ask("POST", target, body, limit, slow);
  }

  const std::string& socket_path() const { return socket_path_; }

 private:
  static constexpr std::chrono::seconds kTimeout{130};  // longer than the daemon takes

  // `limit`: none, as long as the daemon lives.
  Answer ask(const char* method, const std::string& target, const std::string& body,
             std::optional<std::chrono::milliseconds> limit,
             const std::function<void()>& slow) const;

  const std::string socket_path_;
};

}  // namespace repld::cli
