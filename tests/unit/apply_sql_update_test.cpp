#include <doctest/doctest.h>

#include "core/apply_sql.h"
#include "row_mappings.h"

using namespace repld;
using namespace repld::testing;

namespace {

struct Row {
  const char* name;
  RowMapping mapping;
  UpdateShape shape;
  const char* sql;
  const char* parameters;
};

// t (id int primary key, a text, b text)
RowMapping wide() {
  return table_of({key_column("id", "int"), column("a", "text"), column("b", "text")});
}

void check_all(const std::vector<Row>& rows, Strictness strictness) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Statement statement = update_statement(row.mapping, row.shape, strictness);
    CHECK(statement.sql == row.sql);
    CHECK(shown(statement.parameters) == row.parameters);
  }
}

}  // namespace

TEST_CASE("an exact update sets what is known and checks that it touched one row") {
  const std::vector<Row> rows = {
      {"key as it was",
       keyed(),
       {{true, true}, false, false},
       R"(with hit as (update only "s"."t" r set "a" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "new 0, new 1"},
      {"partitioned",
       partitioned(keyed()),
       {{true, true}, false, false},
       R"(with hit as (update "s"."t" r set "a" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "new 0, new 1"},
      {"unchanged TOAST is left alone",
       wide(),
       {{true, false, true}, false, false},
       R"(with hit as (update only "s"."t" r set "b" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "new 0, new 2"},
      {"key that moved",
       keyed(),
       {{true, true}, true, true},
       R"(with hit as (update only "s"."t" r set "id" = $2::int, "a" = $3::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "old 0, new 0, new 1"},
      {"old row sent, key as it was",
       keyed(),
       {{true, true}, true, false},
       R"(with hit as (update only "s"."t" r set "a" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "old 0, new 1"},
      {"generated column",
       table_of({key_column("id", "int"), generated(column("g", "int")), column("a", "text")}),
       {{true, true, true}, false, false},
       R"(with hit as (update only "s"."t" r set "a" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "new 0, new 2"},
  };
  check_all(rows, Strictness::exact);
}

TEST_CASE("an exact update with nothing to set still checks that its row is there") {
  const std::vector<Row> rows = {
      {"every column in the key",
       table_of({key_column("k", "int"), key_column("l", "int")}),
       {{true, true}, false, false},
       R"(with hit as (select 1 from only "s"."t" r where r."k" operator(pg_catalog.=) $1::int )"
       R"(and r."l" operator(pg_catalog.=) $2::int) select repld.expect_one(count(*)) from hit)",
       "new 0, new 1"},
      {"all else is unchanged TOAST",
       keyed(),
       {{true, false}, false, false},
       R"(with hit as (select 1 from only "s"."t" r where r."id" operator(pg_catalog.=) $1::int) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "new 0"},
  };
  check_all(rows, Strictness::exact);
}

TEST_CASE("a column that only the target may generate is compared where it cannot be set") {
  const RowMapping mapping =
      table_of({key_column("id", "int"), always_identity(column("n", "int")), column("a", "text")});
  const std::vector<Row> rows = {
      {"beside others",
       mapping,
       {{true, true, true}, false, false},
       R"(with hit as (update only "s"."t" r set "a" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int and r."n" operator(pg_catalog.=) $3::int )"
       R"(returning 1) select repld.expect_one(count(*)) from hit)",
       "new 0, new 2, new 1"},
      {"alone",
       mapping,
       {{true, true, false}, false, false},
       R"(with hit as (select 1 from only "s"."t" r where r."id" operator(pg_catalog.=) $1::int )"
       R"(and r."n" operator(pg_catalog.=) $2::int) select repld.expect_one(count(*)) from hit)",
       "new 0, new 1"},
      {"in a key that moved, set and refused by the server",
       table_of({always_identity(key_column("id", "int"))}),
       {{true}, true, true},
       R"(with hit as (update only "s"."t" r set "id" = $2::int where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "old 0, new 0"},
      {"in a key as it was, compared as key",
       table_of({always_identity(key_column("id", "int"))}),
       {{true}, false, false},
       R"(with hit as (select 1 from only "s"."t" r where r."id" operator(pg_catalog.=) $1::int) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "new 0"},
  };
  check_all(rows, Strictness::exact);
}

TEST_CASE("a mending update inserts the row that it does not find, if it knows all of it") {
  const std::vector<Row> rows = {
      {"all known",
       keyed(),
       {{true, true}, false, false},
       R"(with hit as (update only "s"."t" r set "a" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(insert into "s"."t" as r ("id", "a") overriding system value select $1::int, $2::text )"
       R"(where not exists (select from hit) on conflict ("id") do update set "a" = excluded."a")",
       "new 0, new 1"},
      {"key that moved",
       keyed(),
       {{true, true}, true, true},
       R"(with hit as (update only "s"."t" r set "id" = $2::int, "a" = $3::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(insert into "s"."t" as r ("id", "a") overriding system value select $2::int, $3::text )"
       R"(where not exists (select from hit) on conflict ("id") do update set "a" = excluded."a")",
       "old 0, new 0, new 1"},
      {"every column in the key",
       table_of({key_column("k", "int")}),
       {{true}, false, false},
       R"(with hit as (select 1 from only "s"."t" r where r."k" operator(pg_catalog.=) $1::int) )"
       R"(insert into "s"."t" as r ("k") overriding system value select $1::int )"
       R"(where not exists (select from hit) on conflict ("k") do nothing)",
       "new 0"},
      {"unchanged TOAST",
       wide(),
       {{true, false, true}, false, false},
       R"(with hit as (update only "s"."t" r set "b" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(select repld.expect_one(count(*)) from hit)",
       "new 0, new 2"},
      {"unknown, but generated on the target",
       table_of({key_column("id", "int"), generated(column("g", "int")), column("a", "text")}),
       {{true, false, true}, false, false},
       R"(with hit as (update only "s"."t" r set "a" = $2::text where )"
       R"(r."id" operator(pg_catalog.=) $1::int returning 1) )"
       R"(insert into "s"."t" as r ("id", "a") overriding system value select $1::int, $2::text )"
       R"(where not exists (select from hit) on conflict ("id") do update set "a" = excluded."a")",
       "new 0, new 2"},
  };
  check_all(rows, Strictness::mending);
}

TEST_CASE("an update without a key changes one of the rows that equal the old one") {
  const std::string one =
      R"(with one as materialized (select r.tableoid as part, r.ctid as place )"
      R"(from only "s"."t" r where )"
      R"((r."a" operator(pg_catalog.=) $1::text or (r."a" is null and $1::text is null)) and )"
      R"((r."j"::text = $2::json::text or (r."j" is null and $2::json is null)) limit 1), )"
      R"(hit as (update only "s"."t" r set "a" = $3::text, "j" = $4::json from one where )"
      R"(r.tableoid = one.part and r.ctid = one.place returning 1) )";
  const UpdateShape shape = {{true, true}, true, false};
  const Statement exact = update_statement(keyless(), shape, Strictness::exact);
  CHECK(exact.sql == one + "select repld.expect_one(count(*)) from hit");
  CHECK(shown(exact.parameters) == "old 0, old 1, new 0, new 1");
  const Statement mending = update_statement(keyless(), shape, Strictness::mending);
  CHECK(mending.sql == one + R"(insert into "s"."t" as r ("a", "j") overriding system value )"
                             R"(select $3::text, $4::json where not exists (select from hit))");
  CHECK(shown(mending.parameters) == "old 0, old 1, new 0, new 1");
}

TEST_CASE("a name goes into the SQL as the mapping gives it") {
  RowMapping mapping = keyed();
  mapping.target = R"("a ""b"" {0}"."t;--")";
  mapping.columns[1].name = R"("x"" = $1 {} %s")";
  const Statement statement = insert_statement(mapping, Strictness::mending);
  CHECK(statement.sql ==
        R"(insert into "a ""b"" {0}"."t;--" as r ("id", "x"" = $1 {} %s") overriding system value )"
        R"(values ($1::int, $2::text) on conflict ("id") do update set )"
        R"("x"" = $1 {} %s" = excluded."x"" = $1 {} %s")");
}
