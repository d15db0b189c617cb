#include "core/schema_essence.h"

#include <doctest/doctest.h>

using namespace repld;
using namespace repld::schema;

TEST_CASE("a definition means the same after a server has printed and read it") {
  struct Row {
    const char* one;
    const char* other;
    bool same;
  };
  const Row rows[] = {
      {"CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character "
       "varying])::text[])))",
       "CHECK (((s)::text = ANY (ARRAY[('a'::character varying)::text, "
       "('b'::character varying)::text])))",
       true},
      {"CHECK ((n >= (0)::numeric))", "CHECK ((n >= 0))", true},
      {"((a)::timestamp(3) without time zone > b)", "(a > b)", true},
      {"CHECK ((n >= 0))", "CHECK ((n > 0))", false},
      {"CHECK ((s <> '::text'::text))", "CHECK ((s <> ''::text))", false},
      {"CHECK ((s <> '(a)'::text))", "CHECK ((s <> 'a'::text))", false},
      {"CHECK (((a OR b) AND c))", "CHECK ((a OR (b AND c)))", false},
      {"lower(a)", "upper(a)", false},
      {"lower((a)::text)", "lower(a)", true},
      {"(\"odd ( name\" > 0)", "(\"odd  name\" > 0)", false},
      {"", "", true},
      {"unclosed ( and '", "unclosed ( and '", true},
  };
  for (const Row& row : rows) {
    const std::string one = row.one;
    CAPTURE(one);
    CHECK((essence_of(row.one) == essence_of(row.other)) == row.same);
  }
}

TEST_CASE("names and states of constraints and indexes do not matter, what they do does") {
  const auto foreign_key = [](const char* definition) {
    return essence_of(Constraint{"any", 'f', definition, {}});
  };
  CHECK(foreign_key("FOREIGN KEY (a) REFERENCES t(id) NOT VALID") ==
        foreign_key("FOREIGN KEY (a) REFERENCES t(id) NOT ENFORCED"));
  CHECK(foreign_key("FOREIGN KEY (a) REFERENCES t(id)") !=
        foreign_key("FOREIGN KEY (a) REFERENCES t(id) ON DELETE CASCADE"));
  const auto index = [](const char* name, const std::string& rest, bool unique) {
    Index value;
    value.name = name;
    value.unique = unique;
    value.definition = std::string("CREATE INDEX ") + name + rest;
    return essence_of(value);
  };
  CHECK(index("a", " ON ONLY t USING btree (x)", false) ==
        index("b", " ON t USING btree (x)", false));
  CHECK(index("a", " ON t USING btree (x)", false) != index("a", " ON t USING btree (x)", true));
  CHECK(index("a", " ON t USING btree (x)", false) != index("a", " ON t USING gin (x)", false));
  CHECK(index("x ON y", " ON t (x)", false) == index("z", " ON t (x)", false));
}
