#include "core/batch.h"

#include <doctest/doctest.h>

#include <utility>

using namespace repld;

namespace {

TransactionPart whole(uint64_t end_lsn, size_t changes) {
  TransactionPart part;
  part.first = part.last = true;
  part.end_lsn = Lsn{end_lsn};
  part.changes.resize(changes);
  return part;
}

}  // namespace

TEST_CASE("a batch ends where its last transaction does") {
  Batch batch;
  batch.from = Lsn{0x100};
  batch.add(whole(0x130, 2));
  batch.add(whole(0x160, 3));
  CHECK(batch.from == Lsn{0x100});
  CHECK(batch.to == Lsn{0x160});
  CHECK(batch.rows == 5);
  CHECK(batch.bytes == batch.parts[0].bytes() + batch.parts[1].bytes());
}

TEST_CASE("a batch is full by rows or by bytes, whichever comes first") {
  struct Row {
    BatchLimits limits;
    size_t changes;
    bool full;
  };
  const size_t many_bytes = size_t{1} << 30;
  const Row rows[] = {
      {{10, many_bytes}, 9, false},
      {{10, many_bytes}, 10, true},
      {{10, many_bytes}, 5000, true},
      {{1000, 1}, 1, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.changes);
    Batch batch;
    batch.add(whole(0x130, row.changes));
    CHECK(batch.full(row.limits) == row.full);
  }
  CHECK_FALSE(Batch{}.full({1, 1}));
}
