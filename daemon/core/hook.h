// A program of the operator's that replctl runs around a cutover.
#pragma once

#include <string>
#include <vector>

namespace repld {

struct HookCall {
  std::vector<std::string> argv;  // program and arguments
  // In its environment as REPLD_GROUP, REPLD_PRIMARY, REPLD_CUTOVER_ID, and as JSON on its stdin.
  std::string group;
  std::string primary;  // "source" or "target", as it is when the hook runs
  std::string cutover_id;
};

struct HookResult {
  int exit_code = 0;       // of a program that a signal ended, or that could not be started: not 0
  bool timed_out = false;  // and was ended
  std::string output;      // what it printed, its end when it is much
};

}  // namespace repld
