// Values of every type are equal to themselves on another version of the server, and different from
// those that only look alike to an operator.
#include <doctest/doctest.h>

#include "server/verify_sides.h"

using namespace repld;
using namespace repld::testing;

namespace {

// Literals of two values that are to be told apart.
struct Type {
  const char* name;
  const char* one;
  const char* other;
};

constexpr const char* kTypes =
    "create extension hstore; create extension citext; "
    "create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); "
    "create type mood as enum ('good', 'Good'); create domain positive as numeric check (value > "
    "0); "
    "create domain ints as int[]; create type pair as (a text, b numeric); "
    "create extension ltree; create extension cube; create type span as range (subtype = float8); "
    "create type holder as (a ints, b positive); "
    "create function lossy(pair) returns text language sql immutable as 'select ($1).a'; "
    "create cast (pair as text) with function lossy(pair)";

constexpr Type kTypeTable[] = {
    {"smallint", "-1", "1"},
    {"int", "-2147483648", "2147483647"},
    {"bigint", "1", "4294967296"},
    {"bigint", "null", "0"},
    {"numeric", "1.0", "1.00"},
    {"numeric", "'NaN'", "'Infinity'"},
    {"real", "0.1", "'0.100000009'::float8"},
    {"double precision", "0", "'-0'"},
    {"double precision", "'NaN'", "null"},
    {"double precision", "0.3", "0.1::float8 + 0.2"},
    {"money", "-12.34", "12.34"},
    {"boolean", "true", "false"},
    {"text", "''", "null"},
    {"text", "'e'", "'\xC3\xA9'"},
    {"text", "'null'", "null"},
    {"text collate nocase", "'a'", "'A'"},
    {"varchar(9)", "'a'", "'a '"},
    {"char(4)", "'a'", "' a'"},
    {"bpchar", "'a'", "'a '"},
    {"\"char\"", "'a'", "''"},
    {"name", "'a'", "'A'"},
    {"citext", "'a'", "'A'"},
    {"hstore", "'a=>NULL'", "'a=>\"NULL\"'"},
    {"bytea", "'\\x00'", "'\\x0000'"},
    {"uuid", "'8f14e45f-ceea-467f-9a4b-3f1f4e2d6b11'", "'8f14e45f-ceea-467f-9a4b-3f1f4e2d6b12'"},
    {"json", "'null'", "null"},
    {"json", "'{\"a\":1}'", "'{\"a\": 1}'"},
    {"jsonb", "'null'", "null"},
    {"jsonb", "'{\"a\": 1.0}'", "'{\"a\": 1.00}'"},
    {"xml", "'<a/>'", "'<a></a>'"},
    {"tsvector", "'a:1'", "'a'"},
    {"mood", "'good'", "'Good'"},
    {"positive", "1", "1.0"},
    {"date", "'infinity'", "'4713-01-01 BC'"},
    {"time", "'24:00'", "'00:00'"},
    {"timetz", "'04:00+00'", "'05:00+01'"},
    {"timestamp", "'2026-03-29 02:30'", "'2026-03-29 02:30:00.000001'"},
    {"timestamp", "'infinity'", "'-infinity'"},
    {"timestamptz", "'3000-01-01 00:00:00.000001+00'", "'3000-01-01 00:00:00.000002+00'"},
    {"timestamptz", "'infinity'", "null"},
    {"interval", "'1 day'", "'24 hours'"},
    {"inet", "'10.0.0.1'", "'10.0.0.1/24'"},
    {"bit(3)", "B'101'", "B'100'"},
    {"varbit", "B'1'", "B'10'"},
    {"point", "'(0,0)'", "'(0,-0)'"},
    {"int[]", "'{1,NULL}'", "'[0:1]={1,NULL}'"},
    {"int[]", "'{}'", "null"},
    {"text[]", "array['a,b']", "array['a', 'b']"},
    {"text[]", "array[null::text]", "array['NULL']"},
    {"ints", "'{1}'", "'{1,1}'"},
    {"pair", "row('a', 1.0)", "row('a', 1.00)"},
    {"pair", "row(null, null)", "null"},
    {"int4range", "'empty'", "'[1,1]'"},
    {"nummultirange", "'{[1,2)}'", "'{[1.0,2)}'"},
    {"int8range", "'(,)'", "'(,9223372036854775807)'"},
    {"numrange", "'[1,2)'", "'[1.0,2)'"},
    {"daterange", "'[2026-01-01,infinity)'", "'[2026-01-01,)'"},
    {"tsrange", "'[2026-01-01,2026-01-02)'", "'[2026-01-01,2026-01-02]'"},
    {"tstzrange", "'[2026-01-01 00:00+00,)'", "'(2026-01-01 00:00+00,)'"},
    {"int4multirange", "'{}'", "'{[1,2)}'"},
    {"int8multirange", "'{[1,2),[3,4)}'", "'{[1,4)}'"},
    {"datemultirange", "'{[2026-01-01,2026-01-02)}'", "'{[2026-01-01,2026-01-03)}'"},
    {"tsmultirange", "'{[2026-01-01,2026-01-02)}'", "'{[2026-01-01,2026-01-02]}'"},
    {"tstzmultirange", "'{[2026-01-01 00:00+00,)}'", "'{}'"},
    {"span", "'[0,1)'", "'[-0,1)'"},
    {"span_multirange", "'{[0,1)}'", "'{[-0,1)}'"},
    {"oid", "1", "4294967295"},
    {"xid8", "'1'", "'4294967297'"},
    {"pg_snapshot", "'10:20:10'", "'10:20:14'"},
    {"txid_snapshot", "'10:20:10'", "'10:20:14'"},
    {"tid", "'(1,2)'", "'(2,1)'"},
    {"pg_lsn", "'0/1'", "'1/0'"},
    {"regclass", "'pg_class'", "'pg_type'"},
    {"regtype", "'mood'", "'pair'"},
    {"regproc", "'pi'", "'lossy'"},
    {"jsonpath", "'$.a'", "'strict $.a'"},
    {"tsquery", "'a & b'", "'a & b:*'"},
    {"ltree", "'a.b'", "'A.b'"},
    {"cube", "'(1,1)'", "'(1,1),(1,1.5)'"},
    {"macaddr", "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"},
    {"macaddr8", "'08:00:2b:01:02:03:04:05'", "'08:00:2b:01:02:03:04:06'"},
    {"cidr", "'10.0.0.0/8'", "'10.0.0.0/9'"},
    {"varbit", "B''", "null"},
    {"line", "'{1,-1,0}'", "'{1,-1,0.5}'"},
    {"lseg", "'[(0,0),(1,1)]'", "'[(1,1),(0,0)]'"},
    {"box", "'((1,1),(0,0))'", "'((1,1),(-0,0))'"},
    {"path", "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"},
    {"polygon", "'((0,0),(1,1),(2,0))'", "'((2,0),(1,1),(0,0))'"},
    {"circle", "'<(0,0),1>'", "'<(0,0),1.0000000000000002>'"},
    {"box[]", "'{(1,1),(0,0)}'", "'{(1,1),(0,0);(1,1),(0,0)}'"},
    {"int[]", "'{{1},{2}}'", "'{{1,2}}'"},
    {"pair[]", "array[row('a', null)::pair]", "array[row('a', null)::pair, null]"},
    {"holder", "row('{}', 1.0)", "row(null, 1.0)"},
    {"holder", "row('{1}', 1.0)", "row('{1}', 1.00)"},
    {"positive[]", "array[1]::positive[]", "array[1.0]::positive[]"},
};

std::string database(const Platform& platform) {
  return Pair::run_sql(platform.dsn, "select quote_ident(current_database())")[0][0].c_str();
}

void create_types(const Sides& sides) {
  for (const Platform* platform : {&sides.source(), &sides.target()}) {
    as_admin(*platform, "grant create on database " + database(*platform) + " to public");
  }
  sides.on_both(kTypes);
}

void tell_apart(int source_version) {
  Sides sides(source_version);
  create_types(sides);
  std::string tables;
  std::string changes;
  int index = 0;
  for (const Type& type : kTypeTable) {
    tables += fmt::format(
        "create table t{0} (id int primary key, v {1}); "
        "insert into t{0} values (1, {2}), (2, {3}), (3, null); ",
        index, type.name, type.one, type.other);
    changes += fmt::format("update t{} set v = {} where id = 1; ", index, type.other);
    ++index;
  }
  sides.on_both(tables);
  {
    Snapshots snapshots = sides.snapshots();
    verify::Comparison comparison(snapshots.source(), snapshots.target());
    for (int i = 0; i < index; ++i) {
      CAPTURE(std::string(kTypeTable[i].name));
      CHECK(readable(comparison.compare(snapshots.table(fmt::format("t{}", i)), {})) == "3 rows:");
    }
  }
  sides.on_target(changes);
  for (const DigestMethod method : {DigestMethod::hash, DigestMethod::md5}) {
    Snapshots snapshots = sides.snapshots();
    verify::Comparison comparison(snapshots.source(), snapshots.target(), Digest{method, false});
    for (int i = 0; i < index; ++i) {
      CAPTURE(std::string(kTypeTable[i].name));
      CAPTURE(std::string(kTypeTable[i].one));
      CHECK(readable(comparison.compare(snapshots.table(fmt::format("t{}", i)), {})) ==
            "3 rows: different 1;");
    }
  }
}

}  // namespace

TEST_SUITE("verify_types") {
  TEST_CASE("values equal themselves and differ from each other, in any column") { tell_apart(15); }
  TEST_CASE("values equal themselves and differ from each other, from 17 too") { tell_apart(17); }

  TEST_CASE("types that differ in name only hold equal values") {
    Sides sides;
    sides.on_source(
        "create table t (id int primary key, a varchar(20), b int, c numeric(10, 2), d char(4))");
    sides.on_target("create table t (id bigint primary key, a text, b bigint, c numeric, d text)");
    sides.on_both("insert into t values (1, 'x', 7, 1.50, 'abcd'), (2, null, null, null, null)");
    CHECK(sides.prove("t") == "2 rows:");
    sides.on_target("update t set c = 1.5 where id = 1");
    CHECK(sides.prove("t") == "2 rows: different 1;");
  }

  TEST_CASE("keys of any text come back as they are") {
    Sides sides;
    sides.on_both("create table t (a text, b int, c text, primary key (a, b))");
    sides.on_source(
        "insert into t values (E'tab\\tnew\\nline\\\\N', 1, 'x'), ('', 2, null), "
        "('\xD0\xAF\xF0\x9F\x92\x87', 3, 'z')");
    CHECK(sides.prove("t") ==
          "3 rows: missing ,2; missing tab\tnew\nline\\N,1; missing \xD0\xAF\xF0\x9F\x92\x87,3;");
  }

  TEST_CASE("databases of different encodings are compared by what UTF-8 makes of them") {
    Sides sides;
    run_alone(sides.target().superuser_dsn,
              "create database latin template template0 encoding 'LATIN1' locale 'C'");
    const std::string latin =
        sides.target().cluster->superuser_dsn("latin") + " client_encoding=UTF8";
    const std::string table =
        "create table t (id text primary key, v text); "
        "insert into t values ('\xC3\xA9', 'd\xC3\xA9j\xC3\xA0'), ('\xC3\xBC', 'x')";
    sides.on_source(table);
    Pair::run_sql(latin, table);
    Snapshots equal(sides.source().remote_dsn, latin);
    CHECK(readable(equal.prove(equal.table("t"))) == "2 rows:");
    Pair::run_sql(latin, "update t set v = '\xC3\xA8' where v = 'x'");
    Snapshots changed(sides.source().remote_dsn, latin);
    CHECK(readable(changed.prove(changed.table("t"))) == "2 rows: different \xC3\xBC;");
  }

  TEST_CASE("servers that hash in different ways are compared by md5, or refused without it") {
    Sides sides;
    sides.on_both("create table t (id int primary key, v text); insert into t values (1, 'a')");
    // As a machine of another byte order would.
    as_admin(sides.target(),
             "alter function pg_catalog.hashtextextended(text, bigint) rename to other_hash; "
             "create function pg_catalog.hashtextextended(text, bigint) returns bigint "
             "language sql immutable as 'select pg_catalog.other_hash($1, $2) # 1'");
    CHECK(sides.prove("t") == "1 rows:");
    sides.on_target("update t set v = 'b'");
    CHECK(sides.prove("t") == "1 rows: different 1;");
    // As FIPS does.
    as_admin(sides.target(), "alter function pg_catalog.md5(text) rename to no_md5");
    Snapshots snapshots = sides.snapshots();
    CHECK_THROWS_WITH_AS(snapshots.prove(snapshots.table("t")),
                         "the servers have no digest in common, so tables cannot be proven", Error);
    for (const verify::Endpoint& endpoint : {snapshots.source(), snapshots.target()}) {
      CHECK_NOTHROW(endpoint.connection.exec("select 1"));
    }
  }
}
