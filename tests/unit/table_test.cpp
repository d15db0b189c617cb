#include "core/table.h"

#include <doctest/doctest.h>

using namespace repld;

TEST_CASE("a column is found by its exact name") {
  TargetTable table;
  table.columns.resize(2);
  table.columns[0].name = "id";
  table.columns[1].name = "Name";
  CHECK(table.find_column("id") == &table.columns[0]);
  CHECK(table.find_column("Name") == &table.columns[1]);
  CHECK(table.find_column("name") == nullptr);
  CHECK(table.find_column("") == nullptr);
}

TEST_CASE("what is missing on the target is named, with what to do about it") {
  const Error table = missing_table({"public", "clients"});
  CHECK(table.kind() == ErrorKind::schema);
  CHECK(std::string(table.what()) == "table \"public.clients\" is missing on the target");
  CHECK(table.table() == "public.clients");
  CHECK(table.hint().find("replctl resume") != std::string::npos);

  const Error column = missing_column({"public", "clients"}, "{name}");
  CHECK(column.kind() == ErrorKind::schema);
  CHECK(std::string(column.what()) ==
        "column \"{name}\" of \"public.clients\" is missing on the target");
  CHECK(column.table() == "public.clients");
  CHECK(column.hint().find("replctl resume") != std::string::npos);
}
