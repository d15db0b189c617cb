#include "core/batch.h"

#include <utility>

#include "core/error.h"

namespace repld {

void Batch::add(TransactionPart part) {
  REPLD_ASSERT(part.first && part.last && part.end_lsn > to);
  rows += part.changes.size();
  bytes += part.bytes();
  to = part.end_lsn;
  parts.push_back(std::move(part));
}

}  // namespace repld
