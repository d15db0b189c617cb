#include "core/foreign_key.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

TargetTable table_with(const std::vector<std::string>& columns) {
  TargetTable table;
  for (const std::string& name : columns) {
    TargetColumn column;
    column.name = name;
    column.equality = "operator(pg_catalog.=)";
    table.columns.push_back(column);
  }
  return table;
}

}  // namespace

TEST_CASE("a foreign key is read as the server prints it") {
  const auto plain = parse_foreign_key({"public", "bookings"}, "bookings_client",
                                       "FOREIGN KEY (client) REFERENCES public.clients(id) ON "
                                       "UPDATE CASCADE ON DELETE SET NULL NOT VALID");
  REQUIRE(plain);
  CHECK(plain->columns == std::vector<std::string>{"client"});
  CHECK(plain->referenced == TableName{"public", "clients"});
  CHECK(plain->referenced_columns == std::vector<std::string>{"id"});
  CHECK_FALSE(plain->full);

  const auto odd = parse_foreign_key({"public", "t"}, "k",
                                     "FOREIGN KEY (\"a, b\", \"say \"\"c)\"\"\") REFERENCES "
                                     "\"My. Schema\".\"T(1)\"(\"\"\"\", d) MATCH FULL DEFERRABLE");
  REQUIRE(odd);
  CHECK(odd->columns == std::vector<std::string>{"a, b", "say \"c)\""});
  CHECK(odd->referenced == TableName{"My. Schema", "T(1)"});
  CHECK(odd->referenced_columns == std::vector<std::string>{"\"", "d"});
  CHECK(odd->full);
}

TEST_CASE("what is printed otherwise is not taken for a foreign key that we know") {
  for (const char* text : {
           "",
           "CHECK (a > 0)",
           "FOREIGN KEY (a, PERIOD p) REFERENCES public.t(a, PERIOD p)",
           "FOREIGN KEY (a, b) REFERENCES public.t(a)",
           "FOREIGN KEY (a) REFERENCES t(a)",
           "FOREIGN KEY (a) REFERENCES public.t",
           "FOREIGN KEY (\"a) REFERENCES public.t(a)",
           "FOREIGN KEY () REFERENCES public.t()",
       }) {
    CAPTURE(text);
    CHECK_FALSE(parse_foreign_key({"public", "t"}, "k", text));
  }
}

TEST_CASE("orphans are rows that the key would refuse") {
  ForeignKey key{{"public", "c"}, "k", {"a", "B"}, {"other", "p"}, {"x", "y"}, false};
  TargetTable referenced = table_with({"x", "y"});
  referenced.partitioned = true;
  const TargetTable table = table_with({"a", "B"});
  CHECK(orphan_query(key, table, referenced) ==
        R"(select count(*) from only "public"."c" c )"
        R"(where (c."a" is not null and c."B" is not null) and not exists (select from )"
        R"("other"."p" p where p."x" operator(pg_catalog.=) c."a" and )"
        R"(p."y" operator(pg_catalog.=) c."B"))");
  key.full = true;
  CHECK(orphan_query(key, table, referenced).find(R"(c."a" is not null or c."B" is not null)") !=
        std::string::npos);
  key.referenced_columns[1] = "gone";
  CHECK_THROWS_AS(orphan_query(key, table, referenced), Error);
}
