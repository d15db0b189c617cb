// A plain HTTP GET, as curl or Prometheus would send it.
#pragma once

#include <string>

namespace repld::testing {

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

// `address` is host:port. Throws when nothing answers.
HttpAnswer http_request(const std::string& address, const std::string& target,
                        const std::string& method = "GET");

}  // namespace repld::testing
