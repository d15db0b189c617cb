// What the bad_input cases share: waiting until a mistake is told, on the surface where it is due.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "support/pair.h"

namespace repld::testing {

inline nlohmann::json link_of(const Daemon& daemon) {
  const auto status = nlohmann::json::parse(daemon.status_json(), nullptr, false);
  return status.is_object() ? status["links"][0] : nlohmann::json();
}

// The link's error with all of its words in "text"; what was told last when `part` never was.
inline nlohmann::json told(const Daemon& daemon, const std::string& part) {
  nlohmann::json error;
  eventually(30s, [&] {
    const nlohmann::json link = link_of(daemon);
    if (!link.is_object() || !link["error"].is_object()) {
      return false;
    }
    error = link["error"];
    error["text"] = error["message"].get<std::string>() + " | " + error.value("detail", "") +
                    " | " + error.value("hint", "");
    error["state"] = link["state"];
    return error["text"].get<std::string>().find(part) != std::string::npos;
  });
  if (!error.is_object()) {
    error = {{"text", "nothing was told"}, {"state", ""}, {"hint", ""}, {"sqlstate", ""}};
  }
  return error;
}

inline bool has(const nlohmann::json& error, const std::string& part) {
  return error["text"].get<std::string>().find(part) != std::string::npos;
}

// `dsn` with one value changed: of two, libpq takes the last.
inline std::string with(const std::string& dsn, const std::string& key, const std::string& value) {
  return dsn + " " + key + "=" + quote_dsn_value(value);
}

}  // namespace repld::testing
