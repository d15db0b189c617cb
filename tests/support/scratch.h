// Directories for what a test leaves behind until it ends.
#pragma once

#include <string>

namespace repld::testing {

// A new directory of ours whose name begins with that; whoever asked for it removes it. It lies in
// memory where there is room for that, since a cluster is a thousand files that nobody needs to
// survive; otherwise, and where REPLD_TEST_DIRECTORY says so, on disk.
std::string make_scratch_directory(const std::string& name);

}  // namespace repld::testing
