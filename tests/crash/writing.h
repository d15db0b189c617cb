// What writes to a database until it is told to stop.
#pragma once

#include "worker.h"

namespace repld::testing {

class Writing {
 public:
  Writing() = default;
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  virtual ~Writing() = default;  // ends it

  // Ends it and tells what was done, by name. Called once.
  virtual demo::WorkerCounts stop() = 0;
};

}  // namespace repld::testing
