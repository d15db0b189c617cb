// Names that break whatever is not quoted, through all that a link does to a table.
#include <doctest/doctest.h>

#include "core/sql_text.h"
#include "existing_links.h"

using namespace repld::testing;

namespace {

std::string q(const std::string& name) { return repld::quote_identifier(name); }

std::string filled_up(const std::string& name) {
  return name + std::string(63 - name.size(), 'x');  // as long as PostgreSQL lets one be
}

const std::string kSchema = R"(select "the' \schema)";
const std::string kParent = R"(Gründer"s 'n \s; -- $1 {})";
const std::string kChild = filled_up(R"(Дитя 'of\' "%s" )");
const std::string kParts = R"(Par't"ed ${x})";
const std::string kPart = R"(par"t \1)";
const std::string kPlain = "user";
const std::string kKey = R"(I "d' \)";
const std::string kOrder = "order";
const std::string kText = filled_up("té'xt \"\\");
const std::string kForeignKey = filled_up(R"(ключ "to' \ )");
const std::string kTrigger = filled_up(R"(tri"gger' \)");
const std::string kRule = R"(ru"le' \)";
const std::string kMood = R"(mo"od' \)";

std::string in_schema(const std::string& name) { return q(kSchema) + "." + q(name); }

const std::string kDdl =
    "create schema " + q(kSchema) + "; create type " + in_schema(kMood) +
    " as enum ('so so', 'it''s \\'); create table " + in_schema(kParent) + " (" + q(kKey) +
    " int primary key, " + q(kText) + " text, " + q(kMood) + " " + in_schema(kMood) +
    "); create table " + in_schema(kChild) + " (" + q(kKey) + " int, " + q(kOrder) + " text, " +
    q(kText) + " int, primary key (" + q(kKey) + ", " + q(kOrder) + "), constraint " +
    q(kForeignKey) + " foreign key (" + q(kText) + ") references " + in_schema(kParent) +
    " on delete cascade); create table " + in_schema(kParts) + " (" + q(kKey) + " int, " +
    q(kOrder) + " text, primary key (" + q(kKey) + ", " + q(kOrder) + ")) partition by list (" +
    q(kOrder) + "); create table " + in_schema(kPart) + " partition of " + in_schema(kParts) +
    " for values in ('it''s \"\\'); create table public." + q(kPlain) + " (" + q(kText) + " text)";

const std::string kOnTarget =
    "create function " + in_schema(kTrigger) +
    "() returns trigger language plpgsql as $$ begin return null; end $$; create trigger " +
    q(kTrigger) + " before insert or update on " + in_schema(kParent) +
    " for each row execute function " + in_schema(kTrigger) + "(); create rule " + q(kRule) +
    " as on insert to " + in_schema(kChild) + " do instead nothing";

const std::vector<std::string> kTables = {in_schema(kParent), in_schema(kChild), in_schema(kParts),
                                          "public." + q(kPlain)};

void fill(const Pair& pair) {
  pair.on_source("alter table " + kTables[3] + " replica identity full; insert into " + kTables[0] +
                 " select i, 'v' || i, 'it''s \\' from generate_series(1, 50) i; insert into " +
                 kTables[1] + " select i, 'o', i from generate_series(1, 50) i; insert into " +
                 kTables[2] +
                 " select i, 'it''s \"\\' from generate_series(1, 50) i; insert into " +
                 kTables[3] + " select 'p' || i / 2 from generate_series(1, 20) i");
}

// Each kind of change, and a partition that comes while the link runs.
void write(const Pair& pair) {
  pair.on_source("insert into " + kTables[0] + " values (100, 'new', 'so so'); update " +
                 kTables[0] + " set " + q(kText) + " = 'u' where " + q(kKey) + " < 5; update " +
                 kTables[1] + " set " + q(kKey) + " = " + q(kKey) + " + 1000 where " + q(kKey) +
                 " < 5; delete from " + kTables[0] + " where " + q(kKey) + " = 7; delete from " +
                 kTables[2] + " where " + q(kKey) + " = 7; update " + kTables[3] + " set " +
                 q(kText) + " = 'p''' where " + q(kText) + " = 'p3'");
  pair.on_source("create table " + in_schema(filled_up(kPart)) + " partition of " + kTables[2] +
                 " for values in ('$1 \"\\'); insert into " + kTables[2] +
                 " values (200, '$1 \"\\')");
}

void damage(const Pair& pair) {
  pair.past_guard("update " + kTables[0] + " set " + q(kText) + " = 'drift' where " + q(kKey) +
                  " = 20; delete from " + kTables[1] + " where " + q(kKey) + " = 21; insert into " +
                  kTables[2] + " values (900, 'it''s \"\\'); delete from " + kTables[3] +
                  " where " + q(kText) + " = 'p5'");
}

int64_t marks(const Pair& pair) {
  return pair.count(pair.target.superuser_dsn, "pg_trigger where tgname like 'repld_guard_%'") +
         pair.count(pair.target.superuser_dsn, "repld.set_aside");
}

}  // namespace

TEST_SUITE("hostile_names") {
  TEST_CASE("names with quotes, backslashes and 63 bytes are only names, from doctor to finalize") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"public.*\", \"select*\"]\n[verify]\nevery = \"0\"";
    Pair pair(options);
    pair.on_both(kDdl);
    pair.on_target(kOnTarget);
    fill(pair);
    const Outcome doctor = pair.daemon.replctl({"doctor"});
    CHECK_MESSAGE(doctor.exit_code == 0, doctor.out);
    REQUIRE_MESSAGE(pair.begin(), pair.daemon.log_text());
    CHECK(pair.difference(kTables) == "");
    write(pair);
    REQUIRE_MESSAGE(pair.caught_up(), pair.daemon.log_text());
    CHECK(pair.difference(kTables) == "");
    CHECK(sqlstate_of(pair.target.dsn, "delete from " + in_schema(filled_up(kPart))) == "25006");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);

    damage(pair);
    const std::string child = kSchema + "." + kChild;
    const Outcome found = pair.daemon.replctl({"verify", "--keys"});
    CHECK_MESSAGE(found.exit_code == 1, found.err);
    CHECK_MESSAGE(has(found.out, child), found.out);
    CHECK(pair.daemon.replctl({"verify", child}).exit_code == 1);
    const Outcome repaired = pair.daemon.replctl({"repair"});
    CHECK_MESSAGE(repaired.exit_code == 0, repaired.err << repaired.out);
    CHECK(pair.difference(kTables) == "");

    const Outcome resync =
        pair.daemon.replctl({"resync", child, kSchema + "." + kParts, kSchema + "." + kParent});
    CHECK_MESSAGE(resync.exit_code == 0, resync.err);
    pair.on_source("delete from " + kTables[0] + " where " + q(kKey) + " = 8");
    REQUIRE(pair.daemon.wait_for("copied", 60s));
    REQUIRE_MESSAGE(pair.caught_up(), pair.daemon.log_text());
    CHECK(pair.difference(kTables) == "");

    const Outcome ended = pair.daemon.replctl({"finalize", "--yes"});
    CHECK_MESSAGE(ended.exit_code == 0, ended.err);
    CHECK(marks(pair) == 0);
    CHECK(pair.count(pair.target.dsn, "pg_constraint where convalidated and conname = " +
                                          repld::quote_literal(kForeignKey)) == 1);
    CHECK(pair.count(pair.target.dsn, "pg_trigger where tgenabled = 'O' and tgname = " +
                                          repld::quote_literal(kTrigger)) == 1);
    CHECK(pair.count(pair.target.dsn, "pg_rewrite where ev_enabled = 'O' and rulename = " +
                                          repld::quote_literal(kRule)) == 1);
  }
}
