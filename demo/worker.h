// One writing session: transactions drawn at random until told to stop, through lost connections
// and refused statements.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operation.h"

namespace repld::demo {

struct WorkerSettings {
  std::string dsn;
  std::vector<Operation> operations;
  double rate = 0;  // transactions per second of this worker; 0: no pause
  int rollback_percent = 0;
  uint64_t seed = 0;
};

struct WorkerCounts {
  int64_t committed = 0;
  int64_t rolled_back = 0;  // on purpose
  int64_t conflicts = 0;    // deadlock, serialization, a key taken by another worker
  int64_t lost = 0;         // connections, COMMIT answers included
  int64_t unexpected = 0;   // any other refusal: a fault of the writer
  std::map<std::string, int64_t> operations;  // committed ones, by name

  void add(const WorkerCounts& other);
};

// Runs until `stop`; never throws for what a server does.
WorkerCounts run_worker(const WorkerSettings& settings, const std::atomic<bool>& stop);

}  // namespace repld::demo
