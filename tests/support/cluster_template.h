// Fresh clusters without the cost of initdb: one is made for each version and superuser and kept,
// the others are copies with a system identifier of their own.
#pragma once

#include <string>

namespace repld::testing {

// Makes `data`, which must not exist yet. `binaries`: of the version. Throws when it cannot.
void create_cluster(const std::string& binaries, const std::string& cache,
                    const std::string& superuser, const std::string& data);

}  // namespace repld::testing
