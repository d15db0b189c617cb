// Ranges of pages that a first copy is made of.
//
// Bounded by the relation's size, never by its keys; the last range of a relation is open, so
// that pages which the plan did not know are in it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/table.h"

namespace repld {

struct Chunk {
  size_t table = 0;  // index into the tables that were planned
  size_t leaf = 0;   // index into its leaves
  int64_t first_page = 0;
  std::optional<int64_t> end_page;  // exclusive; absent: to the end, whatever it is
};

// Large leaves first, so that workers do not wait for one at the end.
std::vector<Chunk> plan_chunks(const std::vector<SourceTable>& tables, int64_t pages_max);

}  // namespace repld
