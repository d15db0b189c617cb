// What the listeners may ask of the daemon. No handler runs SQL or blocks: what is asked for is
// there already, or is answered later through `reply`, from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"

namespace repld::control {

enum class Command { pause, resume, mark, finalize, finalize_source_gone };

struct CommandResult {
  int http_status = 200;
  std::string json = "{}";
};

struct ControlPort {
  std::function<std::shared_ptr<const Status>()> status;
  std::function<std::string()> metrics_text;
  std::function<std::vector<Event>(int64_t after, size_t limit)> events;
  std::function<void(Command command, std::function<void(CommandResult)> reply)> command;
};

}  // namespace repld::control
