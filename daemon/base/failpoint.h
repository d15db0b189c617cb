// Named places where a test can kill the process or make it wait.
//
// REPLD_FAILPOINT="apply.before_commit=kill" in the environment ends the process with SIGKILL
// the first time it comes by; "=kill@3" the third time; "=sleep:500" waits 500 ms each time.
// Without the variable a failpoint is one load of a flag. Several are separated by commas.
//
// The names in use: kFailpoints in failpoint.cpp; an unknown name in the variable is an error
// at start, so that a test cannot pass by naming a place that does not exist.
#pragma once

#include <string_view>

namespace repld {

// Reads the environment; call once before threads start. Throws Error(config).
void arm_failpoints();

void failpoint(std::string_view name);

}  // namespace repld
