// INSERT, DELETE and TRUNCATE; UPDATE has a file of its own.
#include "core/apply_sql.h"

#include <doctest/doctest.h>

#include "row_mappings.h"

using namespace repld;
using namespace repld::testing;

namespace {

struct Row {
  const char* name;
  RowMapping mapping;
  Strictness strictness;
  const char* sql;
  const char* parameters;
};

}  // namespace

TEST_CASE("an insert that must be exact leaves a row that is there to the server's refusal") {
  const Row rows[] = {
      {"keyed", keyed(), Strictness::exact,
       R"(insert into "s"."t" as r ("id", "a") overriding system value values ($1::int, $2::text))",
       "new 0, new 1"},
      {"keyless", keyless(), Strictness::exact,
       R"(insert into "s"."t" as r ("a", "j") overriding system value values ($1::text, $2::json))",
       "new 0, new 1"},
      {"partitioned", partitioned(keyed()), Strictness::exact,
       R"(insert into "s"."t" as r ("id", "a") overriding system value values ($1::int, $2::text))",
       "new 0, new 1"},
      {"generated on the target",
       table_of({key_column("id", "int"), generated(column("g", "int")), column("a", "text")}),
       Strictness::exact,
       R"(insert into "s"."t" as r ("id", "a") overriding system value values ($1::int, $2::text))",
       "new 0, new 2"},
      {"identity always", table_of({always_identity(key_column("id", "int"))}), Strictness::exact,
       R"(insert into "s"."t" as r ("id") overriding system value values ($1::int))", "new 0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Statement statement = insert_statement(row.mapping, row.strictness);
    CHECK(statement.sql == row.sql);
    CHECK(shown(statement.parameters) == row.parameters);
  }
}

TEST_CASE("an insert that mends writes over the row that is there") {
  const Row rows[] = {
      {"keyed", keyed(), Strictness::mending,
       R"(insert into "s"."t" as r ("id", "a") overriding system value values ($1::int, $2::text) )"
       R"(on conflict ("id") do update set "a" = excluded."a")",
       "new 0, new 1"},
      {"two key columns, in the order of the relation",
       table_of({column("a", "text"), key_column("k", "int"), key_column("l", "int")}),
       Strictness::mending,
       R"(insert into "s"."t" as r ("a", "k", "l") overriding system value )"
       R"(values ($1::text, $2::int, $3::int) )"
       R"(on conflict ("k", "l") do update set "a" = excluded."a")",
       "new 0, new 1, new 2"},
      {"every column in the key", table_of({key_column("k", "int"), key_column("l", "int")}),
       Strictness::mending,
       R"(insert into "s"."t" as r ("k", "l") overriding system value values ($1::int, $2::int) )"
       R"(on conflict ("k", "l") do nothing)",
       "new 0, new 1"},
      {"generated and identity columns are not set",
       table_of({key_column("id", "int"), generated(column("g", "int")),
                 always_identity(column("n", "int")), column("a", "text")}),
       Strictness::mending,
       R"(insert into "s"."t" as r ("id", "n", "a") overriding system value )"
       R"(values ($1::int, $2::int, $3::text) on conflict ("id") do update set "a" = excluded."a" )"
       R"(where r."n" operator(pg_catalog.=) excluded."n")",
       "new 0, new 2, new 3"},
      {"keyless", keyless(), Strictness::mending,
       R"(insert into "s"."t" as r ("a", "j") overriding system value values ($1::text, $2::json))",
       "new 0, new 1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Statement statement = insert_statement(row.mapping, row.strictness);
    CHECK(statement.sql == row.sql);
    CHECK(shown(statement.parameters) == row.parameters);
  }
}

TEST_CASE("a delete finds its row by the old row's key and checks the count if it must be exact") {
  const Row rows[] = {
      {"keyed", keyed(), Strictness::exact,
       R"(with hit as (delete from only "s"."t" r where r."id" operator(pg_catalog.=) $1::int )"
       R"(returning 1) select repld.expect_one(count(*)) from hit)",
       "old 0"},
      {"keyed, mending", keyed(), Strictness::mending,
       R"(delete from only "s"."t" r where r."id" operator(pg_catalog.=) $1::int)", "old 0"},
      {"partitioned", partitioned(keyed()), Strictness::mending,
       R"(delete from "s"."t" r where r."id" operator(pg_catalog.=) $1::int)", "old 0"},
      {"every column in the key", table_of({key_column("k", "int"), key_column("l", "int")}),
       Strictness::mending,
       R"(delete from only "s"."t" r where r."k" operator(pg_catalog.=) $1::int )"
       R"(and r."l" operator(pg_catalog.=) $2::int)",
       "old 0, old 1"},
      {"key of a type without an operator", table_of({incomparable(key_column("j", "json"))}),
       Strictness::mending, R"(delete from only "s"."t" r where r."j"::text = $1::json::text)",
       "old 0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Statement statement = delete_statement(row.mapping, row.strictness);
    CHECK(statement.sql == row.sql);
    CHECK(shown(statement.parameters) == row.parameters);
  }
}

TEST_CASE("a delete without a key takes one of the rows that equal the old one") {
  const std::string one =
      R"(one as materialized (select r.tableoid as part, r.ctid as place )"
      R"(from only "s"."t" r where )"
      R"((r."a" operator(pg_catalog.=) $1::text or (r."a" is null and $1::text is null)) and )"
      R"((r."j"::text = $2::json::text or (r."j" is null and $2::json is null)) limit 1))";
  const std::string hit =
      R"(delete from only "s"."t" r using one where r.tableoid = one.part and r.ctid = one.place)";
  const Statement exact = delete_statement(keyless(), Strictness::exact);
  CHECK(exact.sql == "with " + one + ", hit as (" + hit +
                         " returning 1) select repld.expect_one(count(*)) from hit");
  CHECK(shown(exact.parameters) == "old 0, old 1");
  const Statement mending = delete_statement(keyless(), Strictness::mending);
  CHECK(mending.sql == "with " + one + " " + hit);
  CHECK(shown(mending.parameters) == "old 0, old 1");
}

TEST_CASE("a table is keyed when one of its columns is in the key") {
  CHECK(keyed().keyed());
  CHECK_FALSE(keyless().keyed());
  CHECK_FALSE(table_of({}).keyed());
}

TEST_CASE("a truncate names all its tables at once") {
  CHECK(truncate_statement({R"(only "s"."t")"}, false) == R"(truncate only "s"."t")");
  CHECK(truncate_statement({R"(only "s"."t")", R"("s"."u")"}, true) ==
        R"(truncate only "s"."t", "s"."u" restart identity)");
}
