// replctl's command line.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/config.h"
#include "core/finding.h"
#include "core/hook.h"

namespace repld::cli {

// What replctl does without a daemon.
struct Tools {
  // Reads a configuration file; throws Error(config).
  std::function<Config(const std::string& path)> load_config;
  // The preflight of both servers; throws Error.
  std::function<Report(const Config& config)> examine;
  // What can be wrong with how a configuration names the servers; throws Error(config).
  std::function<void(const Config& config)> check;
  // Runs a hook and waits for it; throws Error(refused) when it cannot be started.
  std::function<HookResult(const HookCall& call, std::chrono::milliseconds timeout)> run_hook;
};

// Returns the exit code.
int run_program(int argc, char** argv, const Tools& tools);

}  // namespace repld::cli
