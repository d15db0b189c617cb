#include "core/chunk.h"

#include <doctest/doctest.h>

#include <string>

using namespace repld;

namespace {

SourceTable table(const std::vector<int64_t>& leaf_pages) {
  SourceTable made;
  for (const int64_t pages : leaf_pages) {
    SourceLeaf leaf;
    leaf.pages = pages;
    made.leaves.push_back(leaf);
  }
  return made;
}

// "0.0:0-100 0.0:100-": table, leaf, pages.
std::string shown(const std::vector<Chunk>& chunks) {
  std::string text;
  for (const Chunk& chunk : chunks) {
    text += text.empty() ? "" : " ";
    text += std::to_string(chunk.table) + "." + std::to_string(chunk.leaf) + ":" +
            std::to_string(chunk.first_page) + "-" +
            (chunk.end_page ? std::to_string(*chunk.end_page) : "");
  }
  return text;
}

}  // namespace

TEST_CASE("the chunks of a leaf touch each other, and its last one is open") {
  struct Row {
    int64_t pages;
    const char* chunks;
  };
  const Row rows[] = {
      {0, "0.0:0-"},
      {1, "0.0:0-"},
      {100, "0.0:0-"},
      {101, "0.0:0-100 0.0:100-"},
      {200, "0.0:0-100 0.0:100-"},
      {201, "0.0:0-100 0.0:100-200 0.0:200-"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pages);
    CHECK(shown(plan_chunks({table({row.pages})}, 100)) == row.chunks);
  }
}

TEST_CASE("large leaves come first, equal ones in the order of their tables") {
  CHECK(shown(plan_chunks({table({10}), table({150, 0}), table({10})}, 100)) ==
        "1.0:0-100 1.0:100- 0.0:0- 2.0:0- 1.1:0-");
}

TEST_CASE("a table without leaves, and no table at all, make no chunk") {
  CHECK(plan_chunks({}, 100).empty());
  CHECK(shown(plan_chunks({table({}), table({5})}, 100)) == "1.0:0-");
}
