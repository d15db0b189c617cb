// Types of the target that would change values without a word: refused, by name, before a value is
// written; and those that are only wider, which are not.
#include <doctest/doctest.h>

#include "core/type_fit.h"
#include "doctor_runs.h"

using namespace repld::testing;

namespace {

constexpr const char* kTypes =
    "create domain price as numeric({0}); create type line_item as (name text, at timestamp({1}))";

struct Misfit {
  const char* source;
  const char* target;
  const char* loss;  // what is told
};

const Misfit kMisfits[] = {
    {"numeric(12,4)", "numeric(10,2)", "numeric(12,4) on the source does not fit numeric(10,2)"},
    {"timestamptz", "timestamptz(3)", "does not fit timestamp(3) with time zone"},
    {"timestamptz", "timestamp", "does not fit timestamp without time zone"},
    {"json", "jsonb", "json on the source does not fit jsonb"},
    {"text", "varchar(5)", "text on the source does not fit character varying(5)"},
    {"interval", "interval day", "interval on the source does not fit interval day"},
    {"numeric(12,4)[]", "numeric(10,2)[]", "numeric(12,4) on the source does not fit"},
    {"price", "price", "numeric(12,4) on the source does not fit numeric(10,2)"},
    {"line_item[]", "line_item[]", "does not fit timestamp(0) without time zone"},
};

// A value of the source's type that the target's takes and does not keep.
struct Change {
  const char* source;
  const char* target;
  const char* value;
};

const Change kChanges[] = {
    {"numeric(5,2)", "numeric(5,1)", "1.25"},
    {"numeric", "numeric(30,10)", "1e-12"},
    {"bigint", "numeric(5,-2)", "149"},
    {"double precision", "real", "0.123456789"},
    {"bigint", "double precision", "9007199254740993"},
    {"integer", "real", "16777217"},
    {"integer", "oid", "-1"},
    {"timestamp with time zone", "timestamp without time zone", "2026-01-01 00:00:00+00"},
    {"timestamp without time zone", "timestamp with time zone", "2026-01-01 00:00:00"},
    {"timestamp without time zone", "timestamp(0) without time zone", "2026-01-01 00:00:00.5"},
    {"timestamp without time zone", "date", "2026-01-01 12:00:00"},
    {"time with time zone", "time without time zone", "10:00:00+03"},
    {"interval", "interval(3)", "1.0001 seconds"},
    {"interval", "interval day", "1 day 02:00:00"},
    {"text", "character varying(3)", "ab  "},
    {"text", "character(3)", "ab "},
    {"json", "jsonb", "{\"b\":1, \"a\":2, \"a\":3}"},
    {"text", "uuid", "8F14E45F-CEEA-467F-9A4B-3F1F4E2D6B11"},
    {"text", "integer[]", "{1, 2}"},
};

std::string types(const char* digits, const char* seconds) {
  return fmt::format(kTypes, digits, seconds);
}

bool stops(const Pair& pair, const std::string& words) {
  const bool paused = eventually(20s, [&] {
    const auto link = pair.link();
    return link["state"] == "paused" && !link["error"].is_null();
  });
  CAPTURE(pair.link().dump());
  return paused && pair.error_message().find(words) != std::string::npos;
}

}  // namespace

TEST_SUITE("type_misfits") {
  TEST_CASE("a column that would round, cut or rewrite values is refused, and named before") {
    Pair pair;
    pair.on_source(types("12,4", "6"));
    pair.on_target(types("10,2", "0"));
    for (const Misfit& misfit : kMisfits) {
      const std::string name = fmt::format("{} -> {}", misfit.source, misfit.target);
      CAPTURE(name);
      pair.on_source(fmt::format("create table t (id int primary key, c {})", misfit.source));
      pair.on_target(fmt::format("create table t (id int primary key, c {})", misfit.target));
      const auto found = Preflight(pair.daemon).errors();
      INFO(text_of(found));
      REQUIRE(found.size() == 1);
      CHECK(found[0].check == "column");
      pair.daemon.start();
      const bool told = eventually(
          20s, [&] { return pair.error_message().find(misfit.loss) != std::string::npos; });
      CHECK_MESSAGE(told, pair.error_message());
      CHECK(pair.daemon.terminate() == 0);
      CHECK(pair.count(pair.target.superuser_dsn, "repld.progress") == 0);
      const bool by_sql = std::string(misfit.source) != misfit.target;
      CHECK(found[0].sql.empty() == !by_sql);
      if (by_sql) {
        mend(pair, found[0]);
        CHECK(text_of(Preflight(pair.daemon).errors()) == "");
      }
      pair.on_both("drop table t");
    }
  }

  TEST_CASE("what is judged to change values does change them on the server") {
    const Platform target = timeweb_like(timeweb_variant());
    for (const Change& change : kChanges) {
      const std::string name = fmt::format("{} -> {}", change.source, change.target);
      CAPTURE(name);
      CHECK(repld::fit_of({change.source, {}}, {change.target, {}}) == repld::TypeFit::lossy);
      const auto kept = Pair::run_sql(
          target.dsn, fmt::format("create temp table x (v {}); insert into x values ('{}'); "
                                  "select v::text = '{}'::{}::text from x",
                                  change.target, change.value, change.value, change.source));
      CHECK_FALSE(kept[0][0].as<bool>());
    }
  }

  TEST_CASE("types that are wider on the target take all values as they are") {
    Pair pair;
    pair.on_source(
        "create table t (id int primary key, a varchar(10), b int, c numeric(10,2), d json, "
        "e char(4), f timestamp(3), g int4range, h varchar(5)[], i jsonb, j interval(2))");
    pair.on_target(
        "create table t (id bigint primary key, a text, b bigint, c numeric, d text, "
        "e text, f timestamp, g int8range, h text[], i json, j interval)");
    const std::string values =
        ", 'ab  ', -1, 1.50, '{\"a\":1,  \"a\":2}', 'x', '2026-01-01 10:00:00.123', '[1,5)', "
        "'{a,\"b \",NULL}', '{\"b\": 1, \"a\": 1.0}', '1 day 00:00:00.25')";
    pair.on_source("insert into t values (1" + values);
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (2" + values + "; insert into t values (3" + values);
    pair.on_source("update t set c = -2.10, e = 'yz' where id > 1");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("a type that holds more from now on stops the link before a value is rounded") {
    Pair pair;
    pair.on_both("create table t (id int primary key, c numeric(10,2), d jsonb)");
    pair.on_source("insert into t values (1, 1.25, '{}')");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (2, 2.25, '{}')");
    pair.on_source("alter table t alter c type numeric(12,4)");
    pair.on_source("insert into t values (3, 3.3333, '{}')");
    REQUIRE(stops(pair,
                  "column \"c\" of \"public.t\": numeric(12,4) on the source does not fit "
                  "numeric(10,2) on the target"));
    CHECK(pair.count(pair.target.dsn, "t") == 2);
    pair.on_target("alter table \"public\".\"t\" alter column \"c\" type numeric(12,4)");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    pair.on_source("alter table t alter d type json");
    pair.on_source("insert into t values (4, 4, '{\"b\":1,\"a\":2,\"a\":3}')");
    REQUIRE(stops(pair, "json on the source does not fit jsonb"));
    pair.on_target("alter table t alter d type json");
    REQUIRE(pair.daemon.replctl({"resume"}).exit_code == 0);
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
