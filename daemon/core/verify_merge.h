// Finds the rows that differ in two streams of rows, each in the order of key hashes.
//
// Holds the rows of one key hash at a time, so that memory does not grow with the streams. Rows
// with the same hash are told apart by their keys, in whatever order they come.
#pragma once

#include <functional>
#include <optional>

#include "core/verify_rows.h"

namespace repld {

// The next row; nothing at the end.
using RowStream = std::function<std::optional<ScannedRow>()>;

// Adds what it finds to the counts of `proof`, and up to `listed_max` rows, of 8 MB at most, to its
// list. Throws Error(internal) when a stream is out of order.
void merge_rows(const RowStream& source, const RowStream& target, size_t listed_max,
                TableProof& proof);

}  // namespace repld
