#include "core/verify_table.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

using Names = std::vector<std::string>;

SourceTable source_table(const std::vector<std::pair<std::string, std::string>>& leaves) {
  SourceTable table;
  table.name = {"public", "t"};
  table.partitioned = leaves.size() > 1;
  table.columns = {"id", "day", "v"};
  for (const auto& [name, filter] : leaves) {
    SourceLeaf leaf;
    leaf.name = {"public", name};
    leaf.columns = table.columns;
    leaf.filter = filter;
    table.leaves.push_back(leaf);
  }
  return table;
}

TargetTable target_table(bool partitioned = false) {
  TargetTable table;
  table.name = {"public", "t"};
  table.partitioned = partitioned;
  for (const char* column : {"v", "day", "id", "note"}) {
    TargetColumn added;
    added.name = column;
    table.columns.push_back(added);
  }
  return table;
}

}  // namespace

TEST_CASE("leaves of the source are compared with the whole table on the target") {
  const ComparedTable table =
      compared_table(source_table({{"t_1", ""}, {"t_2", ""}}), target_table(true), {"id"});
  CHECK(table.source ==
        std::vector<TablePart>{{{"public", "t_1"}, false, ""}, {{"public", "t_2"}, false, ""}});
  CHECK(table.target == std::vector<TablePart>{{{"public", "t"}, true, ""}});
  CHECK(table.columns == Names{"id", "day", "v"});
  CHECK(table.key == Names{"id"});
}

TEST_CASE("a filter holds on the target when it is the same for all leaves") {
  struct Row {
    const char* first;
    const char* second;
    const char* target;
  };
  const Row rows[] = {{"", "", ""}, {"v > 1", "v > 1", "v > 1"}, {"v > 1", "v > 2", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.second);
    const ComparedTable table = compared_table(
        source_table({{"t_1", row.first}, {"t_2", row.second}}), target_table(true), {"id"});
    CHECK(table.source[1].filter == row.second);
    CHECK(table.target[0].filter == row.target);
  }
}

TEST_CASE("a root without partitions is read as the empty relation that it is") {
  SourceTable source = source_table({});
  source.partitioned = true;
  const ComparedTable table = compared_table(source, target_table(true), {"id"});
  CHECK(table.source == std::vector<TablePart>{{{"public", "t"}, false, ""}});
  CHECK(table.columns == Names{"id", "day", "v"});
}

TEST_CASE("columns that a side computes are left out, and a key that has one of them with them") {
  SourceTable source = source_table({{"t", ""}});
  TargetTable target = target_table();
  target.columns[0].generated = true;
  CHECK(compared_table(source, target, {"id"}).columns == Names{"id", "day"});
  CHECK(compared_table(source, target, {"id"}).key == Names{"id"});
  CHECK(compared_table(source, target, {"id", "v"}).key.empty());
  source.generated = {"day"};
  CHECK(compared_table(source, target, {"id"}).columns == Names{"id"});
}

TEST_CASE("a column list decides what is compared") {
  SourceTable source = source_table({{"t", ""}});
  source.leaves[0].columns = {"v", "id"};
  CHECK(compared_table(source, target_table(), {"id"}).columns == Names{"v", "id"});
}

TEST_CASE("what cannot be compared column by column is refused") {
  SourceTable lists = source_table({{"t_1", ""}, {"t_2", ""}});
  lists.leaves[1].columns = {"id", "day"};
  CHECK_THROWS_AS(compared_table(lists, target_table(true), {"id"}), Error);
  lists.leaves[1].columns = {"day", "v", "id"};
  CHECK_NOTHROW(compared_table(lists, target_table(true), {"id"}));
  SourceTable wider = source_table({{"t", ""}});
  wider.leaves[0].columns.emplace_back("added");
  CHECK_THROWS_WITH_AS(compared_table(wider, target_table(), {"id"}),
                       "column \"added\" of \"public.t\" is missing on the target", Error);
}

TEST_CASE("rows are told apart by a key that both sides have") {
  RelationFacts facts;
  facts.keys = {{"b"}, {"d", "c"}};
  TargetTable target;
  CHECK(common_key(facts, target).empty());
  target.keys = {{true, {"a"}}, {false, {"c", "d"}}, {false, {"b"}}};
  CHECK(common_key(facts, target) == Names{"c", "d"});
  target.keys = {{true, {"b", "c"}}};
  CHECK(common_key(facts, target).empty());
}
