#include "core/sql_text.h"

#include <doctest/doctest.h>

using namespace repld;

TEST_CASE("an identifier is quoted, whatever it contains") {
  struct Row {
    const char* name;
    const char* quoted;
  };
  const Row rows[] = {
      {"clients", R"("clients")"},
      {"Clients", R"("Clients")"},
      {"select", R"("select")"},
      {"", R"("")"},
      {R"(my"t)", R"("my""t")"},
      {R"(")", R"("""")"},
      {R"("";drop table t;--)", R"(""""";drop table t;--")"},
      {R"(it's a \ and a $1)", R"("it's a \ and a $1")"},
      {"a.b", R"("a.b")"},
      {"{} %s", R"("{} %s")"},
      {"line\nbreak", "\"line\nbreak\""},
      {"\xD0\xBF", "\"\xD0\xBF\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CHECK(quote_identifier(row.name) == row.quoted);
  }
}

TEST_CASE("a literal is quoted, and a backslash in it is one") {
  struct Row {
    const char* text;
    const char* quoted;
  };
  const Row rows[] = {
      {"", "''"},
      {"plain", "'plain'"},
      {"it's", "'it''s'"},
      {"''", "''''''"},
      {R"(\')", R"('\''')"},
      {R"(a "b")", R"('a "b"')"},
      {"'; drop table t; --", "'''; drop table t; --'"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(quote_literal(row.text) == row.quoted);
  }
}

TEST_CASE("schema and name are quoted each for itself") {
  CHECK(quote_qualified("public", "clients") == R"("public"."clients")");
  CHECK(quote_qualified("a.b", R"(c".")") == R"("a.b"."c"".""")");
}
