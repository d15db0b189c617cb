#include "core/type_fit.h"

#include <doctest/doctest.h>

using namespace repld;

namespace {

struct Row {
  const char* source;
  const char* target;
  TypeFit fit;
};

const Row kNumbers[] = {
    {"integer", "integer", TypeFit::same},
    {"integer", "bigint", TypeFit::wider},
    {"bigint", "integer", TypeFit::different},
    {"numeric", "integer", TypeFit::different},
    {"numeric(5,2)", "numeric", TypeFit::wider},
    {"numeric(5,2)", "numeric(7,3)", TypeFit::different},
    {"numeric(5,2)", "numeric(3,2)", TypeFit::different},
    {"numeric(5,2)", "numeric(5,1)", TypeFit::lossy},
    {"numeric", "numeric(30,10)", TypeFit::lossy},
    {"bigint", "numeric(5,2)", TypeFit::different},
    {"bigint", "numeric(5,-2)", TypeFit::lossy},
    {"double precision", "numeric", TypeFit::different},
    {"double precision", "numeric(20,10)", TypeFit::lossy},
    {"double precision", "real", TypeFit::lossy},
    {"real", "double precision", TypeFit::different},
    {"integer", "double precision", TypeFit::different},
    {"bigint", "double precision", TypeFit::lossy},
    {"integer", "real", TypeFit::lossy},
    {"smallint", "real", TypeFit::different},
    {"numeric(5,2)", "real", TypeFit::lossy},
    {"numeric(5,2)", "money", TypeFit::different},
    {"numeric(5,3)", "money", TypeFit::lossy},
    {"integer", "oid", TypeFit::lossy},
    {"oid", "bigint", TypeFit::different},
    {"bit(3)", "bit(2)", TypeFit::different},
    {"integer", "text", TypeFit::different},
    {"numeric(15,0)", "double precision", TypeFit::different},
    {"numeric(16,0)", "double precision", TypeFit::lossy},
    {"numeric(5,2)", "double precision", TypeFit::lossy},
    {"integer", "boolean", TypeFit::lossy},
    {"smallint", "boolean", TypeFit::lossy},
    {"boolean", "integer", TypeFit::different},
    {"macaddr", "macaddr8", TypeFit::lossy},
};

const Row kTimes[] = {
    {"timestamp without time zone", "timestamp with time zone", TypeFit::lossy},
    {"timestamp with time zone", "timestamp without time zone", TypeFit::lossy},
    {"timestamp without time zone", "timestamp(0) without time zone", TypeFit::lossy},
    {"timestamp(3) with time zone", "timestamp with time zone", TypeFit::different},
    {"timestamp(3) with time zone", "timestamp(2) with time zone", TypeFit::lossy},
    {"timestamp without time zone", "timestamp(6) without time zone", TypeFit::different},
    {"timestamp without time zone", "date", TypeFit::lossy},
    {"date", "timestamp(0) without time zone", TypeFit::different},
    {"date", "timestamp with time zone", TypeFit::lossy},
    {"time with time zone", "time without time zone", TypeFit::lossy},
    {"time without time zone", "time(0) without time zone", TypeFit::lossy},
    {"interval", "interval(3)", TypeFit::lossy},
    {"interval", "interval day", TypeFit::lossy},
    {"interval day to second(3)", "interval day to second(2)", TypeFit::lossy},
    {"interval day to second(3)", "interval", TypeFit::different},
    {"interval", "interval day to second", TypeFit::different},
    {"interval day", "interval day to second", TypeFit::different},
    {"interval minute", "interval day to second(0)", TypeFit::different},
    {"interval minute", "interval second", TypeFit::different},
    {"interval minute", "interval day to hour", TypeFit::lossy},
    {"interval month", "interval day", TypeFit::different},
    {"interval day", "interval month", TypeFit::lossy},
    {"interval", "interval day to second(3)", TypeFit::lossy},
};

const Row kTexts[] = {
    {"character varying(20)", "text", TypeFit::wider},
    {"character varying(20)", "character varying(30)", TypeFit::wider},
    {"character varying(20)", "character varying(10)", TypeFit::lossy},
    {"character varying", "character varying(10)", TypeFit::lossy},
    {"text", "character varying(10)", TypeFit::lossy},
    {"text", "character varying", TypeFit::different},
    {"json", "character varying(10)", TypeFit::lossy},
    {"extensions.citext", "character varying(10)", TypeFit::lossy},
    {"extensions.citext", "public.citext", TypeFit::different},
    {"extensions.citext", "text", TypeFit::different},
    {"text", "public.citext", TypeFit::different},
    {"name", "character varying(10)", TypeFit::lossy},
    {"name", "character varying(63)", TypeFit::different},
    {"text", "character(10)", TypeFit::lossy},
    {"character varying(3)", "character(10)", TypeFit::lossy},
    {"character(10)", "character(4)", TypeFit::different},
    {"character(10)", "text", TypeFit::different},
    {"character(10)", "character varying(4)", TypeFit::lossy},
    {"text", "bpchar", TypeFit::different},
    {"text", "name", TypeFit::lossy},
    {"text", "\"char\"", TypeFit::lossy},
    {"uuid", "\"char\"", TypeFit::lossy},
    {"json", "text", TypeFit::different},
    {"jsonb", "json", TypeFit::different},
    {"json", "jsonb", TypeFit::lossy},
    {"text", "jsonb", TypeFit::lossy},
    {"text", "json", TypeFit::different},
    {"text", "uuid", TypeFit::lossy},
    {"text", "integer[]", TypeFit::lossy},
    {"text", "public.mood", TypeFit::different},
    {"public.mood", "text", TypeFit::different},
    {"public.mood", "other.mood", TypeFit::different},
};

template <size_t N>
void check(const Row (&rows)[N]) {
  for (const Row& row : rows) {
    const std::string pair = std::string(row.source) + " -> " + row.target;
    CAPTURE(pair);
    CHECK(fit_of({row.source, {}}, {row.target, {}}) == row.fit);
  }
}

}  // namespace

TEST_CASE("which types take all values of another, and which change them without a word") {
  check(kNumbers);
  check(kTimes);
  check(kTexts);
}

TEST_CASE("what arrays, domains and composites are made of is judged part by part") {
  const TypeShape source{"public.price", {{".1", "text"}, {".2[]", "numeric(12,4)"}}};
  CHECK(fit_of(source, source) == TypeFit::same);
  TypeShape target = source;
  target.parts[1].type = "numeric(10,2)";
  CHECK(fit_of(source, target) == TypeFit::lossy);
  CHECK(loss_of(source, target)->source == "numeric(12,4)");
  CHECK(loss_of(source, target)->target == "numeric(10,2)");
  target.parts[1] = {".2", "numeric(10,2)"};
  CHECK_FALSE(loss_of(source, target));
  CHECK_FALSE(loss_of({}, target));
}

TEST_CASE("times are recast in UTC, as they are written, not in the zone of whoever does it") {
  CHECK(recast("c", "timestamp(3) with time zone", "timestamp without time zone") ==
        "c at time zone 'UTC'");
  CHECK(recast("c", "timestamp without time zone", "timestamp with time zone") ==
        "c at time zone 'UTC'");
  CHECK(recast("c", "timestamp(3) with time zone", "timestamp with time zone") ==
        "c::timestamp with time zone");
  CHECK(recast("c", "integer", "bigint") == "c::bigint");
}
