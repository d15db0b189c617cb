// Values of every type arrive as they are: one by one, many in one statement, as keys, changed and
// deleted. A table a type, so that what fails is named.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

struct Type {
  const char* name;
  // SQL literals; each becomes rows, and rows of one value are updated to the next.
  std::vector<const char*> values;
  bool key = true;  // also as a primary key
};

// What types are made of, for both sides.
constexpr const char* kTypes =
    "create schema \"App\"; create extension hstore; create extension citext; "
    "create extension ltree; create extension cube; "
    "create type \"App\".\"bookingState\" as enum ('Pending', 'noShow', 'it''s, \"done\"'); "
    "create domain \"App\".positive as numeric(12, 2) check (value > 0); "
    "create domain ints as int[]; "
    "create type pair as (\"Left\" text, at timestamptz, n numeric); "
    "create type \"nested Pair\" as (p pair, tags text[]); "
    "create type span as range (subtype = float8); "
    "create domain \"App\".\"Open\" as \"App\".\"bookingState\" check (value <> 'noShow'); "
    "create type \"App\".holder as (tags text[], price \"App\".positive, "
    "state \"App\".\"bookingState\", \"none\" ints); "
    "create table \"Named T\" (id int primary key); "
    "create function \"App\".\"doIt\"(pair) returns int language sql as 'select 1'";

const std::vector<Type> kNumbers = {
    {"smallint", {"-32768", "32767"}},
    {"bigint", {"-9223372036854775808", "9223372036854775807"}},
    {"real", {"0.1", "'NaN'", "'-Infinity'", "'1e-45'", "'-0'"}},
    {"double precision", {"0.1::float8 + 0.2", "'NaN'", "'Infinity'", "5e-324", "'-0'"}},
    {"numeric",
     {"'NaN'", "'Infinity'", "1.0", "1.00", "12345678901234567890123456789012345678901.50",
      "1e-30"},
     false},
    {"numeric(28, 6)", {"1234567890123456789012.345678", "-0.000001"}},
    {"money", {"-12.34", "92233720368547758.07"}},
    {"boolean", {"true", "false"}},
    {"oid", {"4294967295", "0"}},
    {"xid8", {"'18446744073709551615'", "'0'"}},
    {"pg_snapshot", {"'10:20:10,14,15'", "'7:7:'"}, false},
    {"txid_snapshot", {"'10:20:10,14,15'", "'7:7:'"}, false},
    {"tid", {"'(4294967295,65535)'", "'(0,0)'"}},
    {"pg_lsn", {"'16/B374D848'", "'0/0'"}},
    {"bit(3)", {"B'101'", "B'000'"}},
    {"varbit(70)", {"B''", "B'1'", "repeat('10', 35)::varbit"}},
};

const std::vector<Type> kTexts = {
    {"text", {"''", "' x '", "E'a\\\\b\"c\\n\\t{,}'", "'NULL'", "'\xD0\xAF\xF0\x9F\x92\x87'"}},
    {"varchar(20)", {"''", "'twenty characters !!'"}},
    {"char(8)", {"''", "'ab'", "'ab  c'"}},
    {"\"char\"", {"'x'", "''"}},
    {"name", {"'a name'", "''"}},
    {"citext", {"'MiXed'", "'other'"}},
    {"bytea", {"''", "'\\x00ff5c22'", "decode(repeat('00', 3000), 'hex')"}},
    {"uuid", {"'8f14e45f-ceea-467f-9a4b-3f1f4e2d6b11'", "'00000000-0000-0000-0000-000000000000'"}},
    {"json", {"'null'", "'{\"a\":1, \"a\":2}'", "'[1.0,  1.00]'", "'\"\"'"}, false},
    {"jsonb", {"'null'", "'{\"k\": null, \"z\": [1.0, 1.00]}'", "'\"q\\\"\\\\\"'"}},
    {"xml", {"'<a b=\"c\">&amp;</a>'", "'text only'"}, false},
    {"tsvector", {"to_tsvector('simple', 'it''s a \"test\"')", "''"}},
    {"tsquery", {"'a & !(b | c:*)'", "''", "'''it''''s'' <-> \"q\"'"}},
    {"jsonpath", {"'strict $.\"a b\"[*] ? (@.x > 1)'", "'$'"}, false},
    {"hstore", {"'a=>1, \"b c\"=>NULL, q=>\"x\\\"y\"'", "''"}, false},
    {"ltree", {"'Top.Science.Astronomy'", "''"}},
    {"\"App\".\"bookingState\"", {"'noShow'", "'it''s, \"done\"'"}},
    {"\"App\".\"Open\"", {"'Pending'", "'it''s, \"done\"'"}},
};

// Their numbers differ from server to server, so they go by name.
const std::vector<Type> kNamesOfObjects = {
    {"regclass", {"'pg_class'", "'public.\"Named T\"'", "'-'"}},
    {"regtype", {"'integer'", "'\"App\".\"bookingState\"'", "'pair[]'"}},
    {"regproc", {"'pi'", "'\"App\".\"doIt\"'"}},
    {"regprocedure", {"'abs(int)'", "'\"App\".\"doIt\"(pair)'"}},
    {"regoper", {"'pg_catalog.||/'", "'0'"}},
    {"regoperator", {"'+(int,int)'", "'-(NONE,bigint)'"}},
    {"regnamespace", {"'\"App\"'", "'pg_catalog'"}},
    {"regconfig", {"'simple'", "'english'"}},
    {"regdictionary", {"'simple'", "'english_stem'"}},
    {"regcollation", {"'\"C\"'", "'\"POSIX\"'"}},
    {"regclass[]", {"array['pg_class'::regclass, null, '\"Named T\"']", "'{}'"}},
};

const std::vector<Type> kTimesAndPlaces = {
    {"date", {"'4713-01-01 BC'", "'infinity'", "'2026-02-28'"}},
    {"time", {"'24:00:00'", "'00:00:00.000001'"}},
    {"timetz", {"'04:05:06-08:00'", "'23:59:59.999999+15:59'"}},
    {"timestamp", {"'-infinity'", "'2026-03-29 02:30:00'", "'0044-03-15 12:00:00 BC'"}},
    {"timestamptz", {"'infinity'", "'2026-03-29 02:30:00+02'", "'1883-11-18 12:03:58+00'"}},
    {"timestamp(0)", {"'2026-03-29 02:30:00'", "'infinity'"}},
    {"interval", {"'-1 mon 3 days -04:05:06.7'", "'178000000 years'", "'0'"}},
    {"time(2)", {"'10:00:00.25'", "'24:00:00'"}},
    {"timetz(0)", {"'10:00:00-08'", "'00:00:00+00'"}},
    {"interval day to second", {"'3 days 04:05:06'", "'0'"}},
    {"inet", {"'192.168.0.1/24'", "'::1'"}},
    {"cidr", {"'10.0.0.0/8'", "'::/0'"}},
    {"macaddr", {"'08:00:2b:01:02:03'", "'00:00:00:00:00:00'"}},
    {"macaddr8", {"'08:00:2b:01:02:03:04:05'", "'ff:ff:ff:ff:ff:ff:ff:ff'"}},
    {"line", {"'{1,-1,0.1}'", "'{0,-1,5}'"}, false},
    {"lseg", {"'[(0,-0),(1e300,1)]'", "'[(1,1),(1,1)]'"}, false},
    {"point", {"'(1.5,-0)'", "'(0,Infinity)'"}, false},
    {"box", {"'((0,0),(1,1))'", "'((-5,2),(3.5,-4))'"}, false},
    {"path", {"'[(0,0),(1,1)]'", "'((0,0),(1,1),(2,0))'"}, false},
    {"polygon", {"'((0,0),(1,1),(2,0))'", "'((5,5))'"}, false},
    {"circle", {"'<(1,2),3>'", "'<(0,0),0>'"}, false},
    {"cube", {"'(1,2),(3,4)'", "'(0)'"}, false},
};

const std::vector<Type> kMadeOfOthers = {
    {"int[]", {"'{}'", "'{1,NULL,3}'", "'[5:6]={7,8}'", "'{{1,2},{3,4}}'"}},
    {"text[]", {"array['a,b', null, '', 'NULL', 'q\"\\']", "'{}'"}},
    {"varchar(5)[]", {"'[0:1][-1:0]={{a,NULL},{\"\",\"NULL\"}}'", "'{\"b  \"}'"}},
    {"numeric(9,2)[]", {"'{1.50,NaN,NULL}'", "'{{{-0.01}}}'"}},
    {"bytea[]", {"array['\\x00ff5c22'::bytea, '', null]", "'{}'"}},
    {"jsonb[]", {"array['null'::jsonb, null, '{\"a\": [1.0]}']", "'{}'"}},
    {"hstore[]", {"array['a=>NULL, \"b,c\"=>\"}\"'::hstore, null]", "'{}'"}, false},
    {"citext[]", {"array['A'::citext, null]", "array['a,b'::citext]"}},
    {"\"App\".positive[]", {"array[0.01, null]::\"App\".positive[]", "'{}'"}},
    {"ints[]", {"'{\"{1,NULL}\",NULL}'", "'{}'"}},
    {"int2vector", {"'1 -2 3'", "''"}, false},
    {"oidvector", {"'1 2 4294967295'", "''"}},
    {"box[]", {"'{(1,1),(0,0);(2,2),(1,1)}'", "'{}'"}, false},
    {"\"App\".\"bookingState\"[]", {"array['noShow', null]::\"App\".\"bookingState\"[]", "'{}'"}},
    {"\"App\".positive", {"0.01", "9999999999.99"}},
    {"ints", {"'{1,2}'", "'{}'"}},
    {"pair", {"row('a,\"b', '2026-01-01 00:00+00', 1.50)", "row(null, null, null)"}},
    {"pair[]", {"array[row('x', null, 'NaN')::pair, null]", "'{}'"}},
    {"\"nested Pair\"", {"row(row('(', null, 1)::pair, array['}', null])", "row(null, '{}')"}},
    {"\"App\".holder",
     {"row(array['x,y', null], 1.50, 'it''s, \"done\"', '{1,NULL}')", "row(null, null, null, null)",
      "row('{}', 0.01, 'noShow', '[2:3]={4,5}')"}},
    {"\"App\".holder[]", {"array[row(array['('], 2, 'Pending', null)::\"App\".holder]", "'{}'"}},
    {"int4range", {"'[1,5)'", "'empty'", "'(,)'"}},
    {"int8range", {"'[1,9223372036854775807)'", "'(,0)'"}},
    {"numrange", {"'(1.50,NaN]'", "'[-Infinity,0]'"}},
    {"daterange", {"'[2026-01-01,infinity]'", "'(,0044-03-15 BC)'"}},
    {"tsrange", {"'[2026-01-01 00:00:00.000001,)'", "'empty'"}},
    {"tstzrange", {"'[2026-01-01 00:00+00,infinity]'", "'empty'"}},
    {"span", {"'[0.5,1.5)'", "'(-infinity,)'"}},
    {"int4multirange", {"'{[1,2),[5,)}'", "'{}'"}},
    {"int8multirange", {"'{(,-9223372036854775807)}'", "'{(,)}'"}},
    {"nummultirange", {"'{[1,2),[5,)}'", "'{}'"}},
    {"datemultirange", {"'{[2026-01-01,2026-01-02),[2027-01-01,)}'", "'{}'"}},
    {"tsmultirange", {"'{(2026-01-01 00:00,2026-01-02 00:00]}'", "'{}'"}},
    {"tstzmultirange", {"'{[2026-01-01 00:00+00,infinity)}'", "'{}'"}},
    {"span_multirange", {"'{[0.5,1.5),(2,)}'", "'{}'"}},
    {"int4multirange[]", {"array['{[1,2)}'::int4multirange, null]", "'{}'"}},
    {"span[]", {"array['[0,1]'::span, 'empty']", "'{}'"}},
};

class TypeTables {
 public:
  explicit TypeTables(const std::vector<Type>& types) : types_(types) {}

  void create(const Pair& pair) const {
    as_admin(pair.source, "grant create on database " + database(pair.source) + " to public");
    as_admin(pair.target, "grant create on database " + database(pair.target) + " to public");
    pair.on_both(kTypes);
    each([&](const Type& type, const std::string& table) {
      pair.on_both(fmt::format("create table {} (id int primary key, v {})", table, type.name));
      if (type.key) {
        pair.on_both(fmt::format("create table k{} (v {} primary key, n int)", table, type.name));
      }
    });
  }

  void insert(const Pair& pair, int from) const {
    std::string sql;
    each([&](const Type& type, const std::string& table) {
      int id = from;
      for (const char* value : type.values) {
        sql += fmt::format("insert into {} values ({}, {});", table, id++, value);
      }
      sql += fmt::format("insert into {} values ({}, null);", table, id);
    });
    pair.on_source("begin;" + sql + "commit");
  }

  void insert_keys(const Pair& pair) const {
    std::string sql;
    each([&](const Type& type, const std::string& table) {
      for (size_t i = 0; type.key && i < type.values.size(); ++i) {
        sql += fmt::format("insert into k{} values ({}, {});", table, type.values[i], i);
      }
    });
    pair.on_source("begin;" + sql + "commit");
  }

  // Every row takes another value, in one transaction.
  void rotate(const Pair& pair) const {
    std::string sql;
    each([&](const Type& type, const std::string& table) {
      std::string next;
      for (size_t i = 0; i < type.values.size(); ++i) {
        next += fmt::format(" when {} then ({})::{}", i, type.values[(i + 1) % type.values.size()],
                            type.name);
      }
      sql += fmt::format("update {} set v = case id % {} {} end;", table, type.values.size(), next);
      sql += type.key ? fmt::format("update k{} set n = n + 100;", table) : "";
    });
    pair.on_source("begin;" + sql + "commit");
  }

  void one_by_one(const Pair& pair) const {
    each([&](const Type& type, const std::string& table) {
      pair.on_source(fmt::format("insert into {} values (1000, {})", table, type.values[0]));
      pair.on_source(fmt::format("delete from {} where id = 1", table));
      if (type.key) {
        pair.on_source(fmt::format("delete from k{} where n = 100", table));
      }
    });
  }

  std::vector<std::string> names() const {
    std::vector<std::string> tables;
    each([&](const Type& type, const std::string& table) {
      tables.push_back("public." + table);
      if (type.key) {
        tables.push_back("public.k" + table);
      }
    });
    return tables;
  }

 private:
  static std::string database(const Platform& platform) {
    return Pair::run_sql(platform.dsn, "select quote_ident(current_database())")[0][0].c_str();
  }

  void each(const std::function<void(const Type&, const std::string&)>& take) const {
    for (size_t i = 0; i < types_.size(); ++i) {
      std::string table = fmt::format("t{}_", i);
      for (const char letter : std::string(types_[i].name)) {
        table += std::isalnum(static_cast<unsigned char>(letter)) != 0
                     ? static_cast<char>(std::tolower(letter))
                     : '_';
      }
      take(types_[i], table);
    }
  }

  const std::vector<Type>& types_;
};

void arrives(const std::vector<Type>& types, int version) {
  PairOptions options;
  options.source_version = version;
  Pair pair(options);
  const TypeTables tables(types);
  tables.create(pair);
  tables.insert(pair, 1);
  REQUIRE(pair.begin());
  tables.insert(pair, 101);
  tables.insert_keys(pair);
  const bool caught_up = pair.caught_up(30s);
  CAPTURE(pair.link()["error"].dump());
  REQUIRE(caught_up);
  CHECK(pair.difference(tables.names()) == "");
  tables.rotate(pair);
  tables.one_by_one(pair);
  REQUIRE(pair.caught_up());
  CHECK(pair.difference(tables.names()) == "");
  CHECK(pair.daemon.replctl({"events"}).out.find("drift") == std::string::npos);
  const auto proof = pair.daemon.replctl({"verify"});
  CHECK_MESSAGE(proof.exit_code == 0, proof.out);
}

}  // namespace

TEST_SUITE("types") {
  TEST_CASE("numbers and bits arrive as they are, from 15") { arrives(kNumbers, 15); }
  TEST_CASE("numbers and bits arrive as they are, from 17") { arrives(kNumbers, 17); }
  TEST_CASE("texts, bytes and documents arrive as they are, from 15") { arrives(kTexts, 15); }
  TEST_CASE("texts, bytes and documents arrive as they are, from 17") { arrives(kTexts, 17); }
  TEST_CASE("times, addresses and shapes arrive as they are, from 15") {
    arrives(kTimesAndPlaces, 15);
  }
  TEST_CASE("times, addresses and shapes arrive as they are, from 17") {
    arrives(kTimesAndPlaces, 17);
  }
  TEST_CASE("names of objects arrive as names, from 15") { arrives(kNamesOfObjects, 15); }
  TEST_CASE("names of objects arrive as names, from 17") { arrives(kNamesOfObjects, 17); }
  TEST_CASE("intervals without an end, which 17 has, arrive as they are") {
    arrives({{"interval", {"'infinity'", "'-infinity'", "'-1 day'"}},
             {"interval[]", {"'{infinity,NULL}'", "'{}'"}}},
            17);
  }
  TEST_CASE("arrays, domains, composites and ranges arrive as they are, from 15") {
    arrives(kMadeOfOthers, 15);
  }
  TEST_CASE("arrays, domains, composites and ranges arrive as they are, from 17") {
    arrives(kMadeOfOthers, 17);
  }
}
