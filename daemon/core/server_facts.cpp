#include "core/server_facts.h"

#include <cstdlib>

namespace repld {

bool is_local_host(const std::string& host) {
  return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" ||
         host == "::1" || host.rfind("127.", 0) == 0;
}

std::string to_string(const Endpoint& endpoint) {
  std::string text = endpoint.host.empty() ? "local socket" : endpoint.host;
  if (!endpoint.port.empty()) {
    text += " port " + endpoint.port;
  }
  if (!endpoint.database.empty()) {
    text += ", database " + endpoint.database;
  }
  return endpoint.user.empty() ? text : text + ", as " + endpoint.user;
}

std::string ServerFacts::setting(const std::string& name) const {
  const auto found = settings.find(name);
  return found == settings.end() ? "" : found->second.value;
}

int64_t ServerFacts::number(const std::string& name) const {
  return std::strtoll(setting(name).c_str(), nullptr, 10);
}

}  // namespace repld
