// What the set-up will cost: disk on the target, and time on the way to either server.
#pragma once

#include <vector>

#include "core/finding.h"
#include "core/server_facts.h"

namespace repld {

// How long the way takes, and what the server needs besides.
Finding check_latency(const Latency& latency);

// Bytes of whole databases, beside the tables'.
struct DatabaseSizes {
  int64_t source_bytes = 0;
  int64_t target_bytes = 0;
};

// What the included tables take, and what the target needs for them.
std::vector<Finding> check_sizes(const std::vector<TableSize>& sizes,
                                 const DatabaseSizes& databases);

// Whether temp_file_limit can get in the way of what is done with the largest table.
std::vector<Finding> check_temp_files(const std::vector<TableSize>& sizes,
                                      const ServerFacts& facts);

}  // namespace repld
