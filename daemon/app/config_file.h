// The TOML file -> Config. Every mistake is Error(config) with file, line and column.
#pragma once

#include <optional>
#include <string>

#include "core/config.h"

namespace repld::app {

// Throws Error(config).
Config load_config(const std::string& path);

// The same for a text that is there already; `path` is only named in messages.
Config parse_config(const std::string& text, const std::string& path);

// The password that the config names by file, credential or environment; nothing when it names
// none. Throws Error(config) when it cannot be read; the text never enters a message.
std::optional<std::string> resolve_password(const ServerConfig& server, Side side);

// Logs a warning for each password file that every user of the machine can read.
void warn_of_exposed_passwords(const Config& config);

}  // namespace repld::app
