// Transaction ids of a source, and what one of its snapshots shows.
//
// The stream carries 32-bit ids, which wrap; they are compared by signed distance, as the server
// does (PostgreSQL, "Transaction ID wraparound"). A snapshot as pg_current_snapshot() prints it,
// "xmin:xmax:xip,xip,..", carries 64-bit ids: below xmin all transactions have ended, from xmax on
// none has, and between them those that are listed have not.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace repld {

// Of two ids that are less than 2^31 apart.
bool xid_precedes(uint32_t xid, uint32_t other);

class SourceSnapshot {
 public:
  // Sees nothing.
  SourceSnapshot() = default;
  // Throws Error(protocol).
  static SourceSnapshot parse(std::string_view text);

  // Whether the transaction had ended, so that the snapshot shows what it committed.
  bool sees(uint32_t xid) const;
  // Oldest transaction that had not ended.
  uint32_t xmin() const { return static_cast<uint32_t>(xmin_); }

 private:
  uint64_t xmin_ = 0;
  uint64_t xmax_ = 0;
  std::vector<uint64_t> in_progress_;  // in order
};

}  // namespace repld
