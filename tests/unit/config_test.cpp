#include "core/config.h"

#include <doctest/doctest.h>

#include <string>

using namespace repld;

TEST_CASE("a pattern matches whole names, with * for any run and ? for one character") {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Row rows[] = {
      {"public.clients", "public.clients", true},
      {"public.clients", "public.clients2", false},
      {"public.clients2", "public.clients", false},
      {"public.clients", "Public.clients", false},
      {"public.*", "public.clients", true},
      {"public.*", "public.", true},
      {"public.*", "publics.clients", false},
      {"*", "", true},
      {"*", "a.b", true},
      {"", "", true},
      {"", "a", false},
      {"?", "", false},
      {"?", "a", true},
      {"?", "ab", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"*.log_??", "app.log_24", true},
      {"*.log_??", "app.log_2", false},
      {"**a**", "bab", true},
      {"*a*b", "xaxbxb", true},
      {"*a*b", "xaxbx", false},
      {"*ab", "aab", true},
      {"a*?", "a", false},
      {"a*?", "ab", true},
      {"a.*", "a.*", true},
      {"a[b]", "ab", false},
      {"a%", "ab", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CAPTURE(row.name);
    CHECK(matches_pattern(row.pattern, row.name) == row.matches);
  }
}

TEST_CASE("a pattern of many stars is matched without trying every way") {
  std::string pattern;
  for (int i = 0; i < 50; ++i) {
    pattern += "*a";
  }
  CHECK_FALSE(matches_pattern(pattern + "b", std::string(5000, 'a')));
  CHECK(matches_pattern(pattern, std::string(5000, 'a')));
}

TEST_CASE("a table is replicated when it is included, not excluded and no system table") {
  Config config;
  config.tables.include = {"public.*", "app.orders", "*.shared"};
  config.tables.exclude = {"public.old_*"};
  struct Row {
    const char* schema;
    const char* table;
    bool replicates;
  };
  const Row rows[] = {
      {"public", "clients", true},
      {"public", "old_clients", false},
      {"app", "orders", true},
      {"app", "orders2", false},
      {"app", "shared", true},
      {"repld", "shared", false},
      {"pg_catalog", "shared", false},
      {"pg_toast", "shared", false},
      {"information_schema", "shared", false},
      {"pgx", "shared", true},
      {"repld2", "shared", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.schema);
    CAPTURE(row.table);
    CHECK(replicates_table(config, row.schema, row.table) == row.replicates);
  }
}

TEST_CASE("without a word about tables all of public is replicated") {
  CHECK(replicates_table(Config(), "public", "clients"));
  CHECK_FALSE(replicates_table(Config(), "app", "clients"));
}

TEST_CASE("a table belongs to the first group that names it, else to all") {
  Config config;
  config.groups = {{"salon", {"public.bookings", "public.client*"}, Side::source},
                   {"rest", {"public.*"}, Side::source}};
  CHECK(group_of(config, "public", "bookings") == "salon");
  CHECK(group_of(config, "public", "clients") == "salon");
  CHECK(group_of(config, "public", "items") == "rest");
  CHECK(group_of(config, "app", "items") == "all");
  CHECK(group_of(Config(), "public", "bookings") == "all");
}

TEST_CASE("a table of a group that lives on the target already is not replicated to it") {
  Config config;
  config.groups = {{"moved", {"public.bookings"}, Side::target},
                   {"salon", {"public.*"}, Side::source}};
  CHECK_FALSE(replicates_table(config, "public", "bookings"));
  CHECK(replicates_table(config, "public", "clients"));
}

TEST_CASE("the sides have names") {
  CHECK(std::string(to_string(Side::source)) == "source");
  CHECK(std::string(to_string(Side::target)) == "target");
}
