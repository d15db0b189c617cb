// Which transactions of the source run, and what its snapshots show, as PostgreSQL's ProcArray has
// it: a snapshot's xmax follows the newest transaction that has ended, not the newest that has
// begun. Ids have 64 bits here; the stream carries the lower half, of which 0 to 2 are never used.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace repld::sim {

class ProcArray {
 public:
  explicit ProcArray(uint64_t first) : next_(first), ended_(first - 1) {}

  uint64_t begin();
  void end(uint64_t xid);
  // Other sessions use up so many ids, as far as what still runs allows it.
  void leap(uint64_t ids);
  // As pg_current_snapshot() prints it.
  std::string snapshot() const;
  bool empty() const { return running_.empty(); }

 private:
  uint64_t next_;
  uint64_t ended_;  // the newest
  std::set<uint64_t> running_;
};

}  // namespace repld::sim
