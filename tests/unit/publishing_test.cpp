#include "core/publishing.h"

#include <doctest/doctest.h>

#include <functional>

#include "sample_schema.h"

using namespace repld;
using namespace repld::testing;

namespace {

SourceLeaf good_leaf(uint32_t oid, const char* name) {
  SourceLeaf leaf;
  leaf.oid = oid;
  leaf.name = {"public", name};
  leaf.identity_usable = leaf.full_usable = leaf.readable = leaf.streams = true;
  return leaf;
}

// A plain table and one of two partitions, without anything against them.
std::vector<SourceTable> good_tables() {
  SourceTable plain;
  plain.oid = 1;
  plain.name = {"public", "plain"};
  plain.owned = plain.primary_key = true;
  plain.leaves = {good_leaf(1, "plain")};
  SourceTable parts = plain;
  parts.oid = 2;
  parts.name = {"public", "parts"};
  parts.partitioned = true;
  parts.leaves = {good_leaf(3, "parts_1"), good_leaf(4, "parts_2")};
  return {plain, parts};
}

}  // namespace

TEST_CASE("each thing against publishing is found, on the relation that it is about") {
  struct Row {
    const char* name;
    std::function<void(std::vector<SourceTable>&)> spoil;
    Obstacle obstacle;
    const char* table;
  };
  const Row rows[] = {
      {"not owned", [](auto& tables) { tables[0].owned = false; }, Obstacle::not_owned, "plain"},
      {"root without a key", [](auto& tables) { tables[1].primary_key = false; },
       Obstacle::no_root_key, "parts"},
      {"leaf without WAL", [](auto& tables) { tables[1].leaves[1].streams = false; },
       Obstacle::no_wal, "parts_2"},
      {"leaf without identity", [](auto& tables) { tables[1].leaves[0].identity_usable = false; },
       Obstacle::no_identity, "parts_1"},
      {"a leaf without WAL needs no identity",
       [](auto& tables) {
         tables[0].leaves[0].streams = tables[0].leaves[0].identity_usable = false;
       },
       Obstacle::no_wal, "plain"},
  };
  CHECK(unpublishable(good_tables()).empty());
  for (const Row& row : rows) {
    CAPTURE(row.name);
    std::vector<SourceTable> tables = good_tables();
    row.spoil(tables);
    const std::vector<Unpublishable> found = unpublishable(tables);
    REQUIRE(found.size() == 1);
    CHECK(found[0].obstacle == row.obstacle);
    CHECK(found[0].table.name == row.table);
  }
}

TEST_CASE("a plain table without a primary key may have another identity") {
  std::vector<SourceTable> tables = good_tables();
  tables[0].primary_key = false;
  CHECK(unpublishable(tables).empty());
}

TEST_CASE("what may not be read is named, unless ownership is asked for and brings it") {
  std::vector<SourceTable> tables = good_tables();
  CHECK(unreadable(tables, true).empty());
  tables[0].leaves[0].readable = tables[1].leaves[0].readable = false;
  CHECK(unreadable(tables, true).size() == 2);
  tables[0].owned = tables[1].owned = false;
  // To own the root is not to own its leaf.
  REQUIRE(unreadable(tables, true).size() == 1);
  CHECK(unreadable(tables, true)[0].name == "parts_1");
  CHECK(unreadable(tables, false).size() == 2);
  tables[1].leaves[0].streams = false;
  CHECK(unreadable(tables, true).empty());
}

TEST_CASE("only what streams is compared with the target") {
  std::vector<SourceTable> tables = good_tables();
  tables.erase(tables.begin());
  tables[0].leaves[1].streams = false;
  schema::Database source = sample_schema();
  schema::Table root;
  root.name = root.root = {"public", "parts"};
  schema::Table first = root;
  first.name.name = "parts_1";
  schema::Table second = root;
  second.name.name = "parts_2";
  source.tables = {source.tables[0], root, first, second};
  keep_streaming(tables, source);
  REQUIRE(source.tables.size() == 2);
  CHECK(source.tables[0].name.name == "parts");
  CHECK(source.tables[1].name.name == "parts_1");
}
