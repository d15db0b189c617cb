#include "core/chunk.h"

#include <algorithm>

#include "core/error.h"

namespace repld {

std::vector<Chunk> plan_chunks(const std::vector<SourceTable>& tables, int64_t pages_max) {
  REPLD_ASSERT(pages_max > 0);
  std::vector<Chunk> chunks;
  for (size_t t = 0; t < tables.size(); ++t) {
    for (size_t l = 0; l < tables[t].leaves.size(); ++l) {
      int64_t first = 0;
      for (; first + pages_max < tables[t].leaves[l].pages; first += pages_max) {
        chunks.push_back({t, l, first, first + pages_max});
      }
      chunks.push_back({t, l, first, std::nullopt});
    }
  }
  const auto pages = [&](const Chunk& chunk) {
    return tables[chunk.table].leaves[chunk.leaf].pages;
  };
  std::stable_sort(chunks.begin(), chunks.end(), [&](const Chunk& left, const Chunk& right) {
    return pages(left) > pages(right);
  });
  return chunks;
}

}  // namespace repld
