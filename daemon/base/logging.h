// The one logger: to stderr, as text for people or as JSON lines for a collector.
#pragma once

#include "core/config.h"

namespace repld {

// LogFormat::automatic is text on a terminal and JSON under systemd's journal or any pipe of it.
// Call once, before threads start.
void start_logging(const LogConfig& config);

}  // namespace repld
