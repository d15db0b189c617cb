// What the listeners may ask of the daemon. No handler runs SQL or blocks: what is asked for is
// there already, or is answered later through `reply`, from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"

namespace repld::control {

enum class Command {
  pause,
  resume,
  mark,
  skip,
  finalize,
  finalize_source_gone,
  verify,
  repair,
  resync,
  arm,
  cutover,
  rollback,
  hook_ran
};

struct CommandRequest {
  Command command = Command::pause;
  Lsn lsn = Lsn::invalid;           // skip: the source transaction, by its commit position
  std::vector<std::string> tables;  // verify, repair, resync: as schema.table; empty: all
  bool keys = false;                // the same: with the keys of rows that differ
  bool rehearsed = false;           // repair, cutover, rollback: changes nothing
  // cutover, rollback
  std::string group = "all";
  std::string id;  // to be known by; empty: one is made up
  bool without_reverse = false;
  int64_t max_freeze_ms = 0;  // 0: as configured
  std::string text;           // hook_ran: what came of it, for the events
};

struct CommandResult {
  int http_status = 200;
  std::string json = "{}";
};

struct ControlPort {
  std::function<std::shared_ptr<const Status>()> status;
  std::function<std::string()> metrics_text;
  std::function<std::string()> cutover;  // the one that runs or ran last, as JSON
  std::function<std::vector<Event>(int64_t after, size_t limit)> events;
  std::function<void(const CommandRequest& request, std::function<void(CommandResult)> reply)>
      command;
};

}  // namespace repld::control
