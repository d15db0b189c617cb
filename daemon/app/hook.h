// Runs a hook, as the user who typed the command, and waits for it.
#pragma once

#include <chrono>

#include "core/hook.h"

namespace repld::app {

// Throws Error(refused) when it cannot be started.
HookResult run_hook(const HookCall& call, std::chrono::milliseconds timeout);

}  // namespace repld::app
