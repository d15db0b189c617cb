// Whole source transactions that go into one target transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/transaction.h"

namespace repld::apply {

struct Batch {
  Lsn from = Lsn::invalid;             // progress before
  Lsn to = Lsn::invalid;               // and after
  std::vector<TransactionPart> parts;  // each a whole transaction; none: only the position moves
  size_t rows = 0;
  size_t bytes = 0;
  bool synchronous = false;  // its COMMIT waits for the flush
  std::chrono::steady_clock::time_point sent_at;

  void add(TransactionPart part) {
    rows += part.changes.size();
    bytes += part.bytes();
    to = part.end_lsn;
    parts.push_back(std::move(part));
  }
};

}  // namespace repld::apply
