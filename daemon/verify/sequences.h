// How far the sequences of tables are apart. They are not in the stream, so that the target's stay
// where they are until a cutover sets them: no drift.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/table.h"
#include "pg/session.h"

namespace repld::verify {

struct SequenceGap {
  TableName sequence;
  // So many values the target is behind, ahead when negative. Nothing: it lacks the sequence, or we
  // may not read one.
  std::optional<int64_t> behind;
};

// Of those that are not alike. As of now: both sides are asked one after the other.
std::vector<SequenceGap> sequence_gaps(pg::Session& source, pg::Session& target,
                                       const std::vector<TableName>& tables);

}  // namespace repld::verify
