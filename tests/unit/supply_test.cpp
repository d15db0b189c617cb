#include "core/supply.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

using Names = std::vector<std::string>;

constexpr Operations kAll = {true, true, true, true};
constexpr Operations kInserts = {true, false, false, false};

LeafEntry entry(const std::string& publication, int level = 0, const std::string& filter = "",
                const Names& columns = {"a", "id"}, bool listed = false,
                Operations operations = kAll) {
  LeafEntry made;
  made.publication = publication;
  made.entry = "1/2";
  made.level = level;
  made.listed = listed;
  made.columns = columns;
  made.filter = filter;
  made.operations = operations;
  return made;
}

LeafSupply combined(const std::vector<LeafEntry>& entries) {
  LeafSupply leaf;
  leaf.oid = 10;
  leaf.name = {"public", "t"};
  leaf.identity = {"id"};
  if (!entries.empty()) {
    combine(entries, leaf);
  }
  return leaf;
}

TableSupply table_of(const std::vector<LeafSupply>& leaves) {
  return {10, {"public", "t"}, leaves};
}

LeafSupply leaf_of(uint32_t oid, const std::vector<LeafEntry>& entries) {
  LeafSupply leaf = combined(entries);
  leaf.oid = oid;
  leaf.name.name = "t_" + std::to_string(oid);
  return leaf;
}

// Kind and message; empty when there is none.
std::string difference(const TableSupply& then, const TableSupply& now) {
  const auto error = supply_difference(parse_supply(supply_json(then)), now);
  return error ? std::string(to_string(error->kind())) + ": " + error->what() : "";
}

}  // namespace

TEST_CASE("filters are joined by OR, and one publication without lets every row pass") {
  struct Row {
    const char* name;
    std::vector<LeafEntry> entries;
    const char* filter;
  };
  const Row rows[] = {
      {"one", {entry("p", 0, "(a > 1)")}, "(a > 1)"},
      {"two", {entry("p", 0, "(a > 1)"), entry("q", 0, "(a < 0)")}, "(a < 0) or (a > 1)"},
      {"the same twice", {entry("p", 0, "(a > 1)"), entry("q", 0, "(a > 1)")}, "(a > 1)"},
      {"one without", {entry("p", 0, "(a > 1)"), entry("q")}, ""},
      {"a root above decides", {entry("p", 1, "(a > 1)"), entry("q")}, "(a > 1)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(combined(row.entries).supply->filter == row.filter);
  }
}

TEST_CASE("column lists conflict unless the same columns come, under the same name") {
  const Names only_id = {"id"};
  const Names both = {"a", "id"};
  const auto conflict = [](const std::vector<LeafEntry>& entries) {
    const auto found = combined(entries).conflict;
    return found ? found->first + "/" + found->second : "";
  };
  CHECK(conflict({entry("p", 0, "", only_id, true), entry("q")}) == "p/q");
  CHECK(conflict({entry("p"), entry("q"), entry("r", 0, "", only_id, true)}) == "p/r");
  CHECK(conflict({entry("p", 0, "", both, true), entry("q")}) == "");
  CHECK(conflict({entry("p", 1, "", only_id, true), entry("q")}) == "");
  CHECK_THROWS_AS(require_one_column_list(
                      {table_of({combined({entry("p", 0, "", only_id, true), entry("q")})})}),
                  Error);
}

TEST_CASE("operations add up, and tell whether a row must be identified") {
  const LeafEntry inserts = entry("p", 0, "", {"a", "id"}, false, kInserts);
  CHECK(to_string(combined({inserts}).supply->operations) == "insert");
  CHECK(combined({inserts}).only_inserts());
  CHECK(combined({inserts, entry("q")}).supply->operations == kAll);
  CHECK_FALSE(combined({inserts, entry("q")}).only_inserts());
  CHECK(combined({entry("p", 0, "", {"a"}, true)}).only_inserts());

  const std::vector<TableSupply> supplies = {
      table_of({leaf_of(11, {inserts}), leaf_of(12, {entry("p")})})};
  CHECK(identity_need(supplies, 11, {"public", "t"}) == IdentityNeed::unused);
  CHECK(identity_need(supplies, 12, {"public", "t"}) == IdentityNeed::optional);
  CHECK(identity_need(supplies, 10, {"public", "t"}) == IdentityNeed::optional);
  CHECK(identity_need(supplies, 99, {"public", "u"}) == IdentityNeed::optional);
}

TEST_CASE("a table keeps its published leaves, with their columns in the table's order") {
  SourceTable table;
  table.oid = 10;
  table.columns = {"id", "b", "a"};
  table.generated = {"g", "h"};
  SourceLeaf first;
  first.oid = 11;
  SourceLeaf second;
  second.oid = 12;
  table.leaves = {first, second};
  LeafEntry listed = entry("p", 0, "(a > 1)", {"a", "id"}, true);
  listed.generated = {"g"};
  const auto given = supplied_tables({table}, {table_of({leaf_of(11, {listed}), leaf_of(12, {})})});
  REQUIRE(given.size() == 1);
  REQUIRE(given[0].leaves.size() == 1);
  CHECK(given[0].leaves[0].columns == Names{"id", "a", "g"});
  CHECK(given[0].leaves[0].filter == "(a > 1)");
  CHECK(given[0].generated == Names{"h"});
  CHECK(supplied_tables({table}, {table_of({leaf_of(11, {})})}).empty());
}

TEST_CASE("what the publications give now is compared with what they gave") {
  const auto whole = [](const LeafEntry& one) { return table_of({leaf_of(11, {one})}); };
  const TableSupply then = whole(entry("p"));
  CHECK(difference(then, then) == "");
  CHECK(difference(then, whole(entry("p", 0, "", {"a", "id", "z"}))) == "");  // ADD COLUMN
  CHECK(difference(then, table_of({leaf_of(11, {entry("p"), entry("q")})})) == "");
  CHECK(difference(then, table_of({leaf_of(11, {})})) ==
        "schema: table \"public.t\" left the publications of the link");
  CHECK(difference(then, whole(entry("p", 0, "(a > 1)"))) ==
        "schema: the publications give other rows of \"public.t_11\" than when it was copied");
  CHECK(difference(then, whole(entry("p", 0, "", {"id"}, true))) ==
        "schema: the publications give other columns of \"public.t_11\" than when it was copied");
  CHECK(
      difference(then, whole(entry("p", 0, "", {"a", "id"}, false, kInserts))) ==
      "schema: the publications give other operations of \"public.t_11\" than when it was copied");
  LeafEntry again = entry("p");
  again.entry = "1/3";
  CHECK(difference(then, whole(again)) ==
        "slot_lost: table \"public.t_11\" left publication \"p\", if only for a while");
}

TEST_CASE("partitions that come are published, or told") {
  const TableSupply then = table_of({leaf_of(11, {entry("p")})});
  const TableSupply partly = table_of({leaf_of(11, {entry("p")}), leaf_of(12, {})});
  const TableSupply both = table_of({leaf_of(11, {entry("p")}), leaf_of(12, {entry("p")})});
  CHECK(difference(then, both) == "");
  CHECK(difference(both, then) == "");  // dropped, or detached
  CHECK(difference(then, partly) ==
        "schema: partition \"public.t_12\" is in none of the link's publications");
  CHECK(difference(partly, partly) == "");
  CHECK(difference(partly, both) ==
        "schema: partition \"public.t_12\" was not published when its table was copied");
}
