// What the set-up refuses, the preflight has named before: each on its own, with the SQL that mends
// it, and the daemon says the same of it.
#include <doctest/doctest.h>

#include "doctor_runs.h"

using namespace repld::testing;

namespace {

constexpr const char* kSchema =
    "create table t (id int primary key, v text); "
    "create table g (id int primary key, twice int generated always as (id * 2) stored); "
    "create table p (id int, k int, primary key (id, k)) partition by list (k); "
    "create table p1 partition of p for values in (1); "
    "create table p2 partition of p for values in (2)";

enum class Mend { by_sql, by_hand };

struct Refusal {
  const char* name;
  const char* side;
  std::vector<const char*> broken;  // as superuser, each on its own
  const char* check;
  const char* what;    // part of what the preflight says
  const char* daemon;  // part of what the daemon says
  Mend mend = Mend::by_sql;
  const char* undo = "";  // where no SQL is offered
};

const Refusal kRefusals[] = {
    {"unlogged partition",
     "source",
     {"alter table p1 set unlogged"},
     "unlogged",
     "partition public.p1 is unlogged",
     "do not stream"},
    {"no replica identity",
     "source",
     {"alter table t replica identity nothing"},
     "replica_identity",
     "public.t",
     "without a usable replica identity"},
    {"no replica identity of a partition",
     "source",
     {"alter table p2 replica identity nothing"},
     "replica_identity",
     "public.p2",
     "without a usable replica identity"},
    {"partitioned without a primary key, but with what could be one",
     "source",
     {"alter table p drop constraint p_pkey", "alter table p alter id set not null",
      "alter table p alter k set not null", "alter table p add constraint p_u unique (id, k)",
      "alter table p1 replica identity full", "alter table p2 replica identity full"},
     "primary_key",
     "partitioned table public.p has no primary key",
     "partitioned tables without a primary key"},
    {"partitioned without any key",
     "source",
     {"alter table p drop constraint p_u", "alter table p drop constraint p_pkey"},
     "primary_key",
     "partitioned table public.p has no primary key",
     "partitioned tables without a primary key",
     Mend::by_hand,
     "alter table p add primary key (id, k)"},
    {"table of somebody else on the source",
     "source",
     {"alter table t owner to supabase_admin"},
     "ownership",
     "public.t belongs to supabase_admin",
     "source's user does not own"},
    {"partition that may not be read",
     "source",
     {"alter table p1 owner to supabase_admin", "revoke pg_read_all_data from postgres",
      "revoke all on p1 from postgres, anon, authenticated, service_role"},
     "rights",
     "public.p1 does not let postgres read it",
     "may not read"},
    {"policies of the source",
     "source",
     {"alter role postgres nobypassrls", "alter table g enable row level security",
      "alter table g force row level security"},
     "row_security",
     "public.g",
     "would hide rows"},
    {"no right to publish",
     "source",
     {"alter database postgres owner to supabase_admin"},
     "database",
     "may not create a publication",
     "may not create a publication"},
    {"publication of our name",
     "source",
     {"create publication repld_pair for table t",
      "alter publication repld_pair owner to postgres"},
     "name",
     "publication \"repld_pair\" exists",
     "publication \"repld_pair\" exists"},
    {"slot of our name",
     "source",
     {"select pg_create_logical_replication_slot('repld_pair', 'pgoutput')"},
     "name",
     "slot \"repld_pair\" exists",
     "slot \"repld_pair\" exists"},
    {"table missing on the target",
     "target",
     {"drop table t"},
     "table",
     "table public.t is missing",
     "\"public.t\" is missing on the target"},
    {"column missing on the target",
     "target",
     {"alter table t drop column v"},
     "column",
     "column v of public.t is missing",
     "column \"v\" of \"public.t\" is missing"},
    {"column that would cut values",
     "target",
     {"alter table t alter v type varchar(5)"},
     "column",
     "column v of public.t is character varying(5), on the source text",
     "text on the source does not fit character varying(5) on the target"},
    {"column that the target does not compute",
     "target",
     {"alter table g alter twice drop expression"},
     "column",
     "column twice of public.g is not generated",
     "generated on the source and not on the target"},
    {"table of somebody else on the target",
     "target",
     {"alter table t owner to platform_admin"},
     "ownership",
     "public.t belongs to platform_admin",
     "target's user does not own"},
    {"partition of somebody else on the target",
     "target",
     {"alter table p1 owner to platform_admin"},
     "ownership",
     "public.p1 belongs to platform_admin",
     "target's user does not own"},
    {"reference from a table of somebody else",
     "target",
     {"create table theirs (id int primary key, t_id int references t)",
      "alter table theirs owner to platform_admin"},
     "ownership",
     "of public.theirs, which references public.t, cannot be set aside",
     "reference replicated ones"},
    {"policies of the target",
     "target",
     {"alter table t enable row level security", "alter table t force row level security"},
     "row_security",
     "public.t applies to gen_user",
     "would hide rows"},
    {"rows on the target",
     "target",
     {"insert into g values (1)"},
     "not_empty",
     "public.g",
     "are not empty",
     Mend::by_hand,
     "delete from g"},
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void run_each(const Platform& platform, const std::vector<const char*>& statements) {
  for (const char* statement : statements) {
    Pair::run_sql(platform.superuser_dsn, statement);
  }
}

// The daemon refuses it too, and leaves no trace.
void check_refused(Pair& pair, const std::string& message) {
  pair.daemon.start();
  const bool told = eventually(20s, [&] { return has(pair.error_message(), message); });
  CHECK_MESSAGE(told, pair.error_message());
  CHECK(pair.daemon.terminate() == 0);
  CHECK(pair.count(pair.target.superuser_dsn, "repld.progress") == 0);
}

void break_and_mend(Pair& pair, const Refusal& refusal) {
  const std::string name = refusal.name;
  CAPTURE(name);
  const Platform& platform = std::string(refusal.side) == "source" ? pair.source : pair.target;
  run_each(platform, refusal.broken);
  const auto found = Preflight(pair.daemon).errors();
  INFO(text_of(found));
  REQUIRE(found.size() == 1);
  CHECK(found[0].check == refusal.check);
  CHECK(found[0].side == refusal.side);
  CHECK(has(found[0].what, refusal.what));
  check_refused(pair, refusal.daemon);
  CHECK(found[0].sql.empty() == (refusal.mend == Mend::by_hand));
  INFO(found[0].sql);
  if (refusal.mend == Mend::by_sql) {
    CHECK(tells_its_effect(found[0]));
    mend(pair, found[0]);
  } else {
    run_each(platform, {refusal.undo});
  }
  CHECK(text_of(Preflight(pair.daemon).errors()) == "");
}

}  // namespace

TEST_SUITE("doctor_refusals") {
  TEST_CASE("each thing that the set-up refuses is named before, alone, with what mends it") {
    Pair pair;
    pair.on_both(kSchema);
    REQUIRE(text_of(Preflight(pair.daemon).errors()) == "");
    for (const Refusal& refusal : kRefusals) {
      break_and_mend(pair, refusal);
    }
    pair.on_source("insert into t values (1, 'a'); insert into p values (1, 1), (2, 2)");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.t", "public.g", "public.p"}) == "");
  }

  TEST_CASE("a foreign partition, which only a table without a key can have, is to be detached") {
    Pair pair;
    pair.on_both("create table p (id int, k int) partition by list (k)");
    as_admin(pair.source,
             "create foreign data wrapper away; create server away foreign data wrapper away; "
             "create foreign table p_away partition of p for values in (1) server away");
    const auto found = Preflight(pair.daemon).errors();
    INFO(text_of(found));
    REQUIRE(found.size() == 2);
    CHECK(found[0].check == "primary_key");
    CHECK(found[1].check == "foreign_table");
    CHECK(has(found[1].what, "public.p_away is a foreign table"));
    check_refused(pair, "do not stream");
    mend(pair, found[1]);
    pair.on_both("alter table p add primary key (id, k)");
    CHECK(text_of(Preflight(pair.daemon).errors()) == "");
  }

  TEST_CASE("from version 18 on FULL is no identity for a table with a generated column") {
    PairOptions options;
    options.source_version = 18;
    Pair pair(options);
    pair.on_both("create table t (id int, g int generated always as (id * 2) stored)");
    pair.on_source("alter table t replica identity full");
    const auto none = Preflight(pair.daemon).errors();
    INFO(text_of(none));
    REQUIRE(none.size() == 1);
    CHECK(none[0].check == "replica_identity");
    CHECK(none[0].sql == "");
    check_refused(pair, "without a usable replica identity");
    pair.on_both("alter table t alter id set not null; create unique index by_id on t (id)");
    const auto index = Preflight(pair.daemon).errors();
    REQUIRE(index.size() == 1);
    CHECK(has(index[0].sql, "using index"));
    mend(pair, index[0]);
    CHECK(text_of(Preflight(pair.daemon).errors()) == "");
    pair.on_source("insert into t values (1); update t set id = 2");
    REQUIRE(pair.begin());
    CHECK(pair.difference({"public.t"}) == "");
  }

  TEST_CASE("an index that is the replica identity is as needed on the target as a primary key") {
    Pair pair;
    pair.on_both("create table t (id int not null, v text)");
    pair.on_source(
        "create unique index by_id on t (id); alter table t replica identity using "
        "index by_id");
    const auto found = Preflight(pair.daemon).errors();
    INFO(text_of(found));
    REQUIRE(found.size() == 1);
    CHECK(found[0].check == "index");
    CHECK(has(found[0].what, "by_id"));
    mend(pair, found[0]);
    CHECK(text_of(Preflight(pair.daemon).errors()) == "");
  }

  TEST_CASE("what a link has made itself bears its own name, also while it runs") {
    Pair pair;
    pair.on_both(kSchema);
    REQUIRE(pair.begin());
    CHECK(text_of(Preflight(pair.daemon).errors()) == "");
  }

  TEST_CASE("patterns that match nothing are an error on both") {
    PairOptions options;
    options.extra = "[tables]\ninclude = [\"elsewhere.*\"]";
    Pair pair(options);
    pair.on_both(kSchema);
    const auto found = Preflight(pair.daemon).errors();
    REQUIRE(found.size() == 1);
    CHECK(found[0].check == "tables");
    check_refused(pair, "no table of the source matches");
  }
}
