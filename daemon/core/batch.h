// Whole source transactions that go into one target transaction.
#pragma once

#include <vector>

#include "core/transaction.h"

namespace repld {

struct BatchLimits {
  size_t rows_max = 0;
  size_t bytes_max = 0;
};

struct Batch {
  Lsn from = Lsn::invalid;             // progress before
  Lsn to = Lsn::invalid;               // and after
  std::vector<TransactionPart> parts;  // each a whole transaction; none: only the position moves
  size_t rows = 0;
  size_t bytes = 0;
  bool synchronous = false;    // its COMMIT waits for the flush
  uint64_t flush_request = 0;  // of the flow, the newest that this meets

  // Takes no further transaction. One may exceed the limits, since it is never divided here.
  bool full(const BatchLimits& limits) const {
    return rows >= limits.rows_max || bytes >= limits.bytes_max;
  }

  void add(TransactionPart part);
};

}  // namespace repld
