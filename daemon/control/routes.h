// Which request gets which answer. Pure but for the port's functions; no sockets.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "control/control_port.h"

namespace repld::control {

struct Request {
  std::string method;     // GET, HEAD, POST
  std::string target;     // path with query
  std::string body = {};  // JSON, where a command takes lists
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
};

// Read-only on the network; commands only where the file system decides who may connect.
enum class Access { read_only, full };

// Calls `reply` exactly once, now or later, from any thread.
void route(const ControlPort& port, Access access, const Request& request,
           std::function<void(Response)> reply);

}  // namespace repld::control
