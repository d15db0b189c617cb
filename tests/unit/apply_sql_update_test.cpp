#include <doctest/doctest.h>

#include "core/apply_sql.h"
#include "row_mappings.h"

using namespace repld;
using namespace repld::testing;

namespace {

using Flags = std::vector<bool>;

// t (id int primary key, a text, b text)
RowMapping wide() {
  return table_of({key_column("id", "int"), column("a", "text"), column("b", "text")});
}

// t (id int generated always as identity, ten int, a text, primary key (id, ten))
RowMapping with_identity_in_key() {
  return table_of(
      {always_identity(key_column("id", "int")), key_column("ten", "int"), column("a", "text")});
}

struct Row {
  const char* name;
  RowMapping mapping;
  UpdateShape shape;
  std::string hit;  // the statement that finds the row
  const char* parameters;
};

const std::string kById = R"(where r."id" operator(pg_catalog.=) $1::int)";

void check_exact(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    const Statement statement = update_statement(row.mapping, row.shape, Strictness::exact);
    CHECK(statement.sql == "with done as (" + row.hit + ") select 1, 1 / count(*) from done");
    CHECK(shown(statement.parameters) == row.parameters);
  }
}

}  // namespace

TEST_CASE("an exact update sets what is known and proves that it touched one row") {
  check_exact({
      {"key as it was",
       keyed(),
       {{true, true}, false, {}},
       R"(update only "s"."t" r set "a" = $2::text )" + kById + " returning 1",
       "new 0, new 1"},
      {"partitioned",
       partitioned(keyed()),
       {{true, true}, false, {}},
       R"(update "s"."t" r set "a" = $2::text )" + kById + " returning 1",
       "new 0, new 1"},
      {"unchanged TOAST is left alone",
       wide(),
       {{true, false, true}, false, {}},
       R"(update only "s"."t" r set "b" = $2::text )" + kById + " returning 1",
       "new 0, new 2"},
      {"key that moved",
       keyed(),
       {{true, true}, true, Flags{true, false}},
       R"(update only "s"."t" r set "id" = $2::int, "a" = $3::text )" + kById + " returning 1",
       "old 0, new 0, new 1"},
      {"old row sent, key as it was",
       keyed(),
       {{true, true}, true, {}},
       R"(update only "s"."t" r set "a" = $2::text )" + kById + " returning 1",
       "old 0, new 1"},
      {"generated column",
       table_of({key_column("id", "int"), generated(column("g", "int")), column("a", "text")}),
       {{true, true, true}, false, {}},
       R"(update only "s"."t" r set "a" = $2::text )" + kById + " returning 1",
       "new 0, new 2"},
  });
}

TEST_CASE("an exact update with nothing to set still proves that its row is there") {
  check_exact({
      {"every column in the key",
       table_of({key_column("id", "int"), key_column("l", "int")}),
       {{true, true}, false, {}},
       R"(select 1 from only "s"."t" r )" + kById + R"( and r."l" operator(pg_catalog.=) $2::int)",
       "new 0, new 1"},
      {"all else is unchanged TOAST",
       keyed(),
       {{true, false}, false, {}},
       R"(select 1 from only "s"."t" r )" + kById,
       "new 0"},
  });
}

TEST_CASE("a row that gets another value where the target always generates one is replaced") {
  RowMapping mapping =
      table_of({key_column("id", "int"), always_identity(column("n", "int")), column("a", "text")});
  mapping.others = {R"("only here")"};
  const std::string of_n = R"( and r."n" operator(pg_catalog.=) )";
  const std::string gone = R"(gone as (delete from only "s"."t" r )" + kById +
                           " and not exists (select from same) returning r.*), ";
  const std::string put = R"(put as (insert into "s"."t" as r ("id", "n", "a", "only here") )"
                          R"(overriding system value select $1::int, )";
  const std::string both =
      " from gone returning 1), done as (select 1 from same union all select 1 from put) "
      "select 1, 1 / count(*) from done";
  const Statement whole =
      update_statement(mapping, {{true, true, true}, false, {}}, Strictness::exact);
  CHECK(whole.sql == R"(with same as (update only "s"."t" r set "a" = $2::text )" + kById + of_n +
                         "$3::int returning 1), " + gone + put +
                         R"($3::int, $2::text, gone."only here")" + both);
  CHECK(shown(whole.parameters) == "new 0, new 2, new 1");
  const Statement partial =
      update_statement(mapping, {{true, true, false}, false, {}}, Strictness::exact);
  CHECK(partial.sql == R"(with same as (select 1 from only "s"."t" r )" + kById + of_n +
                           "$2::int), " + gone + put + R"($2::int, gone."a", gone."only here")" +
                           both);
  CHECK(shown(partial.parameters) == "new 0, new 1");
}

TEST_CASE(
    "an identity in the key is set by replacing its row, and left alone when it has not moved") {
  const Statement moved =
      update_statement(with_identity_in_key(),
                       {{true, true, false}, true, Flags{true, false, false}}, Strictness::exact);
  CHECK(moved.sql ==
        R"(with gone as (delete from only "s"."t" r )" + kById +
            R"( and r."ten" operator(pg_catalog.=) $2::int returning r.*), put as (insert into )"
            R"("s"."t" as r ("id", "ten", "a") overriding system value select $3::int, $4::int, )"
            R"(gone."a" from gone returning 1), done as (select 1 from put) )"
            R"(select 1, 1 / count(*) from done)");
  CHECK(shown(moved.parameters) == "old 0, old 1, new 0, new 1");
  check_exact({
      {"in a key whose other column moved, left alone",
       with_identity_in_key(),
       {{true, true, true}, true, Flags{false, true, false}},
       R"(update only "s"."t" r set "ten" = $3::int, "a" = $4::text )" + kById +
           R"( and r."ten" operator(pg_catalog.=) $2::int returning 1)",
       "old 0, old 1, new 1, new 2"},
  });
}

TEST_CASE("a mending update upserts the row that it does not find, if it knows all of it") {
  const std::string done =
      R"(), done as (insert into "s"."t" as r ("id", "a") overriding system value )";
  const std::string missing =
      R"( where not exists (select from found) on conflict ("id") do update )"
      R"(set "a" = excluded."a" returning 1) select (select count(*) from found), )"
      R"(1 / ((select count(*) from found) + (select count(*) from done)))";
  const Statement plain = update_statement(keyed(), {{true, true}, false, {}}, Strictness::mending);
  CHECK(plain.sql == R"(with found as (update only "s"."t" r set "a" = $2::text )" + kById +
                         " returning 1" + done + "select $1::int, $2::text" + missing);
  const Statement moved =
      update_statement(keyed(), {{true, true}, true, Flags{true, false}}, Strictness::mending);
  CHECK(moved.sql == R"(with found as (update only "s"."t" r set "id" = $2::int, "a" = $3::text )" +
                         kById + " returning 1" + done + "select $2::int, $3::text" + missing);
  CHECK(shown(moved.parameters) == "old 0, new 0, new 1");
}

TEST_CASE("a mending update that does not know the whole row queues the one it does not find") {
  const UpdateShape shape = {{true, false, true}, false, {}};
  const Statement queued = update_statement(wide(), shape, Strictness::mending);
  CHECK(queued.sql ==
        R"(with found as (update only "s"."t" r set "b" = $2::text )" + kById +
            R"( returning 1), done as (insert into repld.refetch (link, schema_name, table_name, )"
            R"(columns, key, digest) select k.*, )"
            R"(sha256(textsend(array[columns::text, key::text]::text)) )"
            R"(from (values ('l', 's', 't', array['id'], array[$3::text])) )"
            R"(k (link, schema_name, table_name, columns, key) )"
            R"(where not exists (select from only "s"."t" r )" +
            kById +
            R"() on conflict (link, schema_name, table_name, digest) do update set )"
            R"(id = default returning 1) select (select count(*) from found), )"
            R"(1 / ((select count(*) from found) + (select count(*) from done)))");
  CHECK(shown(queued.parameters) == "new 0, new 2, new 0 as printed");
  const UpdateShape moved = {{true, false, true}, true, Flags{true, false, false}};
  CHECK(shown(update_statement(wide(), moved, Strictness::mending).parameters) ==
        "old 0, new 0, new 2, new 0 as printed");
  const UpdateShape large_key = {{false, true, true}, true, {}};
  CHECK(shown(update_statement(wide(), large_key, Strictness::mending).parameters) ==
        "old 0, new 1, new 2, old 0 as printed");
}

TEST_CASE("a generated column is not missed in an update") {
  const UpdateShape shape = {{true, false, true}, false, {}};
  const RowMapping mapping =
      table_of({key_column("id", "int"), generated(column("g", "int")), column("a", "text")});
  CHECK(update_statement(mapping, shape, Strictness::mending).sql.find("refetch") ==
        std::string::npos);
}

TEST_CASE("an update without a key changes one of the rows that print as the old one") {
  const std::string one =
      R"(with one as materialized (select r.tableoid as part, r.ctid as place )"
      R"(from only "s"."t" r where r."a"::text is not distinct from $1::text::text and )"
      R"(r."j"::text is not distinct from $2::json::text limit 1), )";
  const std::string hit =
      R"(update only "s"."t" r set "a" = $3::text, "j" = $4::json from one where )"
      R"(r.tableoid = one.part and r.ctid = one.place returning 1) )";
  const UpdateShape shape = {{true, true}, true, {}};
  const Statement exact = update_statement(keyless(), shape, Strictness::exact);
  CHECK(exact.sql == one + "done as (" + hit + "select 1, 1 / count(*) from done");
  CHECK(shown(exact.parameters) == "old 0, old 1, new 0, new 1");
  const Statement mending = update_statement(keyless(), shape, Strictness::mending);
  CHECK(mending.sql.find("on conflict") == std::string::npos);
  CHECK(mending.sql.find(R"(select $3::text, $4::json where not exists (select from found))") !=
        std::string::npos);
}

TEST_CASE("a name goes into the SQL as the mapping gives it") {
  RowMapping mapping = keyed();
  mapping.target = R"("a ""b"" {0}"."t;--")";
  mapping.columns[1].name = R"("x"" = $1 {} %s")";
  const std::string sql = insert_statement(mapping, Strictness::mending).sql;
  CHECK(sql.find(R"(insert into "a ""b"" {0}"."t;--" as r ("id", "x"" = $1 {} %s") )") !=
        std::string::npos);
  CHECK(sql.find(R"(do update set "x"" = $1 {} %s" = excluded."x"" = $1 {} %s")") !=
        std::string::npos);
}
