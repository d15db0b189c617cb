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
  std::string sql;
  const char* parameters;
};

const std::string kInsertT = R"(insert into "s"."t" as r )";
const std::string kFound = R"(with found as (select 1 from only "s"."t" r where )";

}  // namespace

TEST_CASE("an insert that must be exact leaves a row that is there to the server's refusal") {
  const std::string id_and_a =
      R"(("id", "a") overriding system value values ($1::int, $2::text) returning 1))";
  const Row rows[] = {
      {"keyed", keyed(), id_and_a, "new 0, new 1"},
      {"keyless", keyless(),
       R"(("a", "j") overriding system value values ($1::text, $2::json) returning 1))",
       "new 0, new 1"},
      {"partitioned", partitioned(keyed()), id_and_a, "new 0, new 1"},
      {"generated on the target",
       table_of({key_column("id", "int"), generated(column("g", "int")), column("a", "text")}),
       id_and_a, "new 0, new 2"},
      {"identity always", table_of({always_identity(key_column("id", "int"))}),
       R"(("id") overriding system value values ($1::int) returning 1))", "new 0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Statement statement = insert_statement(row.mapping, Strictness::exact);
    CHECK(statement.sql ==
          "with done as (" + kInsertT + row.sql + " select 1, 1 / count(*) from done");
    CHECK(shown(statement.parameters) == row.parameters);
  }
}

TEST_CASE("an insert that mends writes over the row that is there, and says that it was") {
  const std::string touched =
      "select (select count(*) from found), 1 / ((select count(*) from done))";
  const Row rows[] = {
      {"keyed", keyed(),
       kFound + R"(r."id" operator(pg_catalog.=) $1::int), done as ()" + kInsertT +
           R"(("id", "a") overriding system value values ($1::int, $2::text) )"
           R"(on conflict ("id") do update set "a" = excluded."a" returning 1) )" +
           touched,
       "new 0, new 1"},
      {"two key columns, in the order of the relation",
       table_of({column("a", "text"), key_column("k", "int"), key_column("l", "int")}),
       kFound +
           R"(r."k" operator(pg_catalog.=) $2::int and r."l" operator(pg_catalog.=) $3::int), )"
           R"(done as ()" +
           kInsertT +
           R"(("a", "k", "l") overriding system value values ($1::text, $2::int, $3::int) )"
           R"(on conflict ("k", "l") do update set "a" = excluded."a" returning 1) )" +
           touched,
       "new 0, new 1, new 2"},
      {"nothing but the key: set to itself, so that the row is touched",
       table_of({key_column("k", "int")}),
       kFound + R"(r."k" operator(pg_catalog.=) $1::int), done as ()" + kInsertT +
           R"(("k") overriding system value values ($1::int) )"
           R"(on conflict ("k") do update set "k" = excluded."k" returning 1) )" +
           touched,
       "new 0"},
      {"nothing that could be set", table_of({always_identity(key_column("k", "int"))}),
       kFound + R"(r."k" operator(pg_catalog.=) $1::int), done as ()" + kInsertT +
           R"(("k") overriding system value values ($1::int) on conflict ("k") do nothing )"
           R"(returning 1) select (select count(*) from found), )"
           R"(1 / ((select count(*) from done) + (select count(*) from found)))",
       "new 0"},
      {"a column that cannot be set must have its value",
       table_of({key_column("id", "int"), generated(column("g", "int")),
                 always_identity(column("n", "int")), column("a", "text")}),
       kFound + R"(r."id" operator(pg_catalog.=) $1::int), done as ()" + kInsertT +
           R"(("id", "n", "a") overriding system value values ($1::int, $2::int, $3::text) )"
           R"(on conflict ("id") do update set "a" = excluded."a" )"
           R"(where r."n" operator(pg_catalog.=) excluded."n" returning 1) )" +
           touched,
       "new 0, new 2, new 3"},
      {"keyless", keyless(),
       "with done as (" + kInsertT +
           R"(("a", "j") overriding system value values ($1::text, $2::json) returning 1) )"
           R"(select 0, 1 / count(*) from done)",
       "new 0, new 1"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Statement statement = insert_statement(row.mapping, Strictness::mending);
    CHECK(statement.sql == row.sql);
    CHECK(shown(statement.parameters) == row.parameters);
  }
}

TEST_CASE("a delete finds its row by the old row's key, and one that mends may find none") {
  const std::string by_id = R"(r where r."id" operator(pg_catalog.=) $1::int)";
  const std::string mending =
      "select (select count(*) from found), "
      "1 / (1 - (select count(*) from found) + (select count(*) from done))";
  const Statement exact = delete_statement(keyed(), Strictness::exact);
  CHECK(exact.sql == R"(with done as (delete from only "s"."t" )" + by_id +
                         " returning 1) select 1, 1 / count(*) from done");
  CHECK(shown(exact.parameters) == "old 0");
  CHECK(delete_statement(partitioned(keyed()), Strictness::exact).sql ==
        R"(with done as (delete from "s"."t" )" + by_id +
            " returning 1) select 1, 1 / count(*) from done");
  CHECK(delete_statement(keyed(), Strictness::mending).sql ==
        R"(with found as (select 1 from only "s"."t" )" + by_id +
            R"(), done as (delete from only "s"."t" )" + by_id + " returning 1) " + mending);
  const RowMapping by_text = table_of({incomparable(key_column("j", "json"))});
  CHECK(delete_statement(by_text, Strictness::exact).sql ==
        R"(with done as (delete from only "s"."t" r where r."j"::text = $1::json::text )"
        R"(returning 1) select 1, 1 / count(*) from done)");
}

TEST_CASE("a delete without a key takes one of the rows that print as the old one") {
  const std::string one =
      R"(with one as materialized (select r.tableoid as part, r.ctid as place )"
      R"(from only "s"."t" r where r."a"::text is not distinct from $1::text::text and )"
      R"(r."j"::text is not distinct from $2::json::text limit 1), )";
  const std::string hit =
      R"(done as (delete from only "s"."t" r using one where r.tableoid = one.part and )"
      R"(r.ctid = one.place returning 1) )";
  CHECK(delete_statement(keyless(), Strictness::exact).sql ==
        one + hit + "select 1, 1 / count(*) from done");
  CHECK(delete_statement(keyless(), Strictness::mending).sql ==
        one + "found as (select 1 from one), " + hit +
            "select (select count(*) from found), "
            "1 / (1 - (select count(*) from found) + (select count(*) from done))");
  CHECK(shown(delete_statement(keyless(), Strictness::exact).parameters) == "old 0, old 1");
}

TEST_CASE("the target's primary key speeds up the search for a row without a key") {
  RowMapping mapping = table_of({column("id", "int"), column("a", "text")});
  mapping.columns[0].in_primary_key = true;
  CHECK(delete_statement(mapping, Strictness::exact)
            .sql.find(R"(where r."id" operator(pg_catalog.=) $1::int and )"
                      R"(r."id"::text is not distinct from $1::int::text and )"
                      R"(r."a"::text is not distinct from $2::text::text limit 1)") !=
        std::string::npos);
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
