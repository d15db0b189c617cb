// replctl cutover and rollback: asks, runs the hooks, shows how it goes.
//
// The daemon does the work, and goes on whatever becomes of replctl.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/client.h"
#include "cli/commands.h"
#include "core/config.h"
#include "core/hook.h"

namespace repld::cli {

using RunHook = std::function<HookResult(const HookCall& call, std::chrono::milliseconds timeout)>;

struct CutoverOptions {
  bool rollback = false;
  std::string group = "all";
  bool dry_run = false;
  bool yes = false;
  bool without_reverse = false;
  std::optional<int64_t> max_freeze_ms;  // nothing: as the daemon is configured
  CutoverConfig hooks;
  RunHook run_hook;
};

// Done when the group lives on the other side, or, rehearsed, when nothing speaks against it.
int cutover(const Client& client, const Output& output, const CutoverOptions& options);

}  // namespace repld::cli
