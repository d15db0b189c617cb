// Child processes: run to the end, or start and stop by pid.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace repld::testing {

struct Outcome {
  int exit_code = -1;  // 128 + signal when killed
  std::string out;
  std::string err;
};

// Runs to the end and collects what it printed.
Outcome run(const std::vector<std::string>& argv);

// Starts in the background; both outputs go to `log_path`. `environment`: NAME=value, added.
pid_t start(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
            const std::string& log_path);
// Waits; exit code as in Outcome.
int wait_for_exit(pid_t pid);
bool is_running(pid_t pid);

std::string read_file(const std::string& path);

}  // namespace repld::testing
