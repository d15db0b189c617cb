#include "core/set_sql.h"

#include <doctest/doctest.h>

#include "core/array_text.h"
#include "row_mappings.h"

using namespace repld;
using namespace repld::testing;

namespace {

MappedColumn with_array(MappedColumn made) {
  made.array = made.type + "[]";
  return made;
}

// t (id int primary key, a text, j a type without an array, g generated, n identity always)
RowMapping mapping() {
  return table_of({with_array(key_column("id", "int")), with_array(column("a", "text")),
                   column("j", "int[]"), generated(with_array(column("g", "int"))),
                   always_identity(with_array(column("n", "int")))});
}

std::string sql_of(ChangeKind kind, const std::vector<bool>& known = {}) {
  return set_statement(mapping(), kind, known).sql;
}

}  // namespace

TEST_CASE("sets of rows: one array a column, and the number of rows proven on the server") {
  CHECK(sql_of(ChangeKind::insert) ==
        R"(with done as (insert into "s"."t" as r ("id", "a", "j", "n") overriding system value )"
        R"(select u.c1, u.c2, u.c3::int[], u.c4 from unnest($1::int[], $2::text[], $3::text[], )"
        R"($4::int[]) as u(c1, c2, c3, c4) returning 1) )"
        R"(select 1 / (count(*) = $5::bigint)::int from done)");
  CHECK(sql_of(ChangeKind::remove) ==
        R"(with done as (delete from only "s"."t" r using unnest($1::int[]) as u(c1) )"
        R"(where r."id" operator(pg_catalog.=) u.c1 returning 1) )"
        R"(select 1 / (count(*) = $2::bigint)::int from done)");
  CHECK(sql_of(ChangeKind::update, {true, true, false, false, false}) ==
        R"(with done as (update only "s"."t" r set "a" = u.c2 from unnest($1::int[], $2::text[]) )"
        R"(as u(c1, c2) where r."id" operator(pg_catalog.=) u.c1 returning 1) )"
        R"(select 1 / (count(*) = $3::bigint)::int from done)");
}

TEST_CASE("a set of updates asks for what it cannot set, and only looks when there is nothing") {
  CHECK(sql_of(ChangeKind::update, {true, false, true, true, true}) ==
        R"(with done as (update only "s"."t" r set "j" = u.c2::int[] from unnest($1::int[], )"
        R"($2::text[], $3::int[]) as u(c1, c2, c3) where r."id" operator(pg_catalog.=) u.c1 )"
        R"(and r."n" operator(pg_catalog.=) u.c3 returning 1) )"
        R"(select 1 / (count(*) = $4::bigint)::int from done)");
  CHECK(sql_of(ChangeKind::update, {true, false, false, true, false}) ==
        R"(with done as (select 1 from only "s"."t" r, unnest($1::int[]) as u(c1) )"
        R"(where r."id" operator(pg_catalog.=) u.c1) )"
        R"(select 1 / (count(*) = $2::bigint)::int from done)");
}

TEST_CASE("elements of an array are quoted, NULL is not") {
  ArrayText array;
  CHECK(std::string(array.finish()) == "{}");
  array.clear();
  for (const char* text : {"", "NULL", "a\"b\\c", "{,}", " x\n"}) {
    array.add(text, static_cast<uint32_t>(std::string_view(text).size()));
  }
  array.add(nullptr, 0);
  CHECK(std::string(array.finish()) == R"({"","NULL","a\"b\\c","{,}"," x)"
                                       "\n"
                                       R"(",NULL})");
}
