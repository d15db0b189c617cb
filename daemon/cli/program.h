// replctl's command line.
#pragma once

#include <functional>
#include <string>

#include "core/config.h"

namespace repld::cli {

// `load_config` reads a configuration file and throws Error(config). Returns the exit code.
int run_program(int argc, char** argv,
                const std::function<Config(const std::string& path)>& load_config);

}  // namespace repld::cli
