// replctl's command line.
#pragma once

#include <functional>
#include <string>

#include "core/config.h"
#include "core/finding.h"

namespace repld::cli {

// What replctl does without a daemon.
struct Tools {
  // Reads a configuration file; throws Error(config).
  std::function<Config(const std::string& path)> load_config;
  // The preflight of both servers; throws Error.
  std::function<Report(const Config& config)> examine;
  // What can be wrong with how a configuration names the servers; throws Error(config).
  std::function<void(const Config& config)> check;
};

// Returns the exit code.
int run_program(int argc, char** argv, const Tools& tools);

}  // namespace repld::cli
