// The preflight on a good pair of platforms, and with each single thing broken: it names exactly
// that thing, and what it prints mends it.
#include <doctest/doctest.h>

#include "doctor_runs.h"
#include "support/sample_databases.h"

using namespace repld::testing;

namespace {

enum class On { source, target };

struct Break {
  const char* name;
  On on;
  const char* sql;  // run as superuser
  const char* severity;
  const char* check;
  const char* what;  // part of what is said
};

const Break kSourceBreaks[] = {
    {"no REPLICATION", On::source, "alter role postgres noreplication", "error", "replication_role",
     "no REPLICATION"},
    {"no replica identity", On::source, "alter table audit_log replica identity default", "error",
     "replica_identity", "public.audit_log"},
    {"identity could be an index", On::source,
     "alter table whatsapp_auth drop constraint whatsapp_auth_pkey;"
     "create unique index whatsapp_auth_key on whatsapp_auth (company_id);"
     "alter table whatsapp_auth add constraint whatsapp_auth_pkey primary key (company_id);"
     "alter table whatsapp_auth replica identity nothing",
     "error", "replica_identity", "public.whatsapp_auth"},
    {"not our table", On::source, "alter table staff owner to supabase_admin", "error", "ownership",
     "public.staff belongs to supabase_admin"},
    {"table of a role that we may join", On::source,
     "create role shop; alter table staff owner to shop", "error", "ownership",
     "public.staff belongs to shop"},
    {"table of a role whose rights we do not inherit", On::source,
     "alter role postgres noinherit; create role shelf; grant shelf to postgres;"
     "alter table staff owner to shelf",
     "error", "ownership", "public.staff belongs to shelf"},
    {"role may open few sessions", On::source, "alter role postgres connection limit 8", "error",
     "role_connections", "role postgres is limited to 8 connections"},
    {"database takes few sessions", On::source, "alter database postgres connection limit 8",
     "error", "database_connections", "database postgres is limited to 8 connections"},
    {"no temporary files", On::source, "alter database postgres set temp_file_limit = 8", "warning",
     "temp_files", "temp_file_limit is 8.0 kB"},
    {"read-only for everybody", On::source, "alter role all set default_transaction_read_only = on",
     "error", "read_only", "read-only"},
    {"read-only twice", On::source,
     "alter role postgres set default_transaction_read_only = on;"
     "alter role all in database postgres set default_transaction_read_only = on",
     "error", "read_only", "read-only"},
    {"rows are hidden", On::source,
     "alter role postgres nobypassrls; alter table clients force row level security", "error",
     "row_security", "public.clients"},
    {"somebody's slots", On::source,
     "select pg_create_logical_replication_slot('taken_' || i, 'pgoutput')"
     "  from generate_series(1, 5) i",
     "error", "slots", "0 of 5"},
    {"unlogged", On::source, "alter table webhook_inbox set unlogged", "warning", "unlogged",
     "public.webhook_inbox"},
    {"read-only source", On::source,
     "alter database postgres set default_transaction_read_only = on", "error", "read_only",
     "read-only"},
};

const Break kTargetBreaks[] = {
    {"table", On::target, "drop table whatsapp_keys", "error", "table", "public.whatsapp_keys"},
    {"keyless table", On::target, "drop table audit_log", "error", "table", "public.audit_log"},
    {"partition", On::target, "drop table messages_2026_03", "warning", "partition",
     "public.messages_2026_03"},
    {"column", On::target, "alter table clients drop column notes", "error", "column",
     "notes of public.clients is missing"},
    {"narrower type", On::target, "alter table clients alter column name type varchar(20)", "error",
     "column", "name of public.clients is character varying(20)"},
    {"wider type", On::target, "alter table clients alter column external_id type numeric", "error",
     "column", "external_id of public.clients is numeric"},
    {"null allowed", On::target, "alter table clients alter column name drop not null", "warning",
     "column", "name of public.clients may be null"},
    {"null refused", On::target, "alter table staff alter column rating set not null", "error",
     "column", "rating of public.staff must not be null"},
    {"column too many", On::target, "alter table clients add column extra integer not null",
     "error", "column", "extra of public.clients is not on the source"},
    {"default", On::target, "alter table payments alter column id drop default", "warning",
     "column", "default of column id of public.payments"},
    {"primary key", On::target, "alter table whatsapp_auth drop constraint whatsapp_auth_pkey",
     "error", "primary_key", "whatsapp_auth_pkey"},
    {"unique constraint", On::target,
     "alter table staff_schedules drop constraint staff_schedules_staff_id_work_date_key",
     "warning", "constraint", "unique constraint"},
    {"check", On::target, "alter table clients drop constraint clients_discount_range", "warning",
     "constraint", "clients_discount_range"},
    {"stricter check", On::target, "alter table staff add constraint low check (rating < 2)",
     "warning", "constraint", "low of public.staff is not on the source"},
    {"foreign key", On::target, "alter table bookings drop constraint bookings_staff_id_fkey",
     "warning", "foreign_key", "bookings_staff_id_fkey"},
    {"index", On::target, "drop index bookings_one_per_slot", "warning", "index",
     "bookings_one_per_slot"},
    {"index of partitions", On::target, "drop index messages_by_client", "warning", "index",
     "messages_by_client"},
    {"unique index", On::target, "create unique index one_name on staff (name)", "warning", "index",
     "one_name"},
    {"index too small for the data", On::target,
     "create index covering on whatsapp_keys (company_id) include (value)", "error", "index_row",
     "covering"},
    {"trigger", On::target, "drop trigger staff_touch on staff", "warning", "trigger",
     "staff_touch"},
    {"trigger off", On::target, "alter table staff disable trigger staff_touch", "warning",
     "trigger", "staff_touch"},
    {"sequence", On::target, "alter sequence clients_id_seq increment by 2", "warning", "sequence",
     "public.clients_id_seq"},
    {"policy", On::target, "drop policy clients_all on clients", "warning", "policy",
     "clients_all"},
    {"row level security", On::target, "alter table clients disable row level security", "warning",
     "row_security", "public.clients"},
    {"rows are hidden", On::target, "alter table clients force row level security", "error",
     "row_security", "public.clients applies to gen_user"},
    {"not our table", On::target, "alter table staff owner to platform_admin", "error", "ownership",
     "public.staff belongs to platform_admin"},
    {"table of a role that a superuser made", On::target,
     "create role shop; alter table staff owner to shop", "error", "ownership",
     "public.staff belongs to shop"},
    {"table of a role that we made", On::target,
     "set role gen_user; create role office; reset role; alter table clients owner to office",
     "error", "ownership", "public.clients belongs to office"},
    {"table of a role whose rights we do not inherit", On::target,
     "create role shelf; grant shelf to gen_user with inherit false;"
     "alter table staff owner to shelf",
     "error", "ownership", "public.staff belongs to shelf"},
    {"role may open few sessions", On::target, "alter role gen_user connection limit 8", "error",
     "role_connections", "role gen_user is limited to 8 connections"},
    {"database takes few sessions", On::target, "alter database default_db connection limit 8",
     "error", "database_connections", "database default_db is limited to 8 connections"},
    {"no temporary files", On::target, "alter database default_db set temp_file_limit = 8",
     "warning", "temp_files", "temp_file_limit is 8.0 kB"},
    {"schema closed", On::target,
     "alter schema public owner to platform_admin; revoke all on schema public from public",
     "error", "schema", "schema public"},
    {"database closed", On::target,
     "alter database default_db owner to platform_admin;"
     "grant usage, create on schema public to gen_user",
     "error", "database", "may not create a schema"},
    {"read-only database", On::target,
     "alter database default_db set default_transaction_read_only = on", "error", "read_only",
     "read-only"},
    {"read-only role", On::target, "alter role gen_user set default_transaction_read_only = on",
     "error", "read_only", "read-only"},
};

void break_and_mend(const Pair& pair, const Break& breakage, const Preflight& good) {
  const std::string name = breakage.name;
  CAPTURE(name);
  const Platform& platform = breakage.on == On::source ? pair.source : pair.target;
  Pair::run_sql(platform.superuser_dsn, breakage.sql);
  const Preflight broken(pair.daemon);
  const auto found = broken.new_since(good);
  INFO(text_of(found));
  CHECK(found.size() == 1);
  if (found.size() != 1) {
    return;
  }
  CHECK(found[0].severity == breakage.severity);
  CHECK(found[0].check == breakage.check);
  CHECK(found[0].side == (breakage.on == On::source ? "source" : "target"));
  CHECK(found[0].what.find(breakage.what) != std::string::npos);
  CHECK(broken.outcome.exit_code == (found[0].severity == "error" ? 1 : 0));
  INFO(found[0].sql);
  REQUIRE(!found[0].sql.empty());
  CHECK(tells_its_effect(found[0]));
  mend(pair, found[0]);
  CHECK(text_of(Preflight(pair.daemon).new_since(good)) == "");
}

}  // namespace

TEST_SUITE("doctor") {
  TEST_CASE("a good pair has no error, and each single thing broken is named and mended") {
    Pair pair;
    load_salon(pair.source.dsn, Load::tables_and_rows);
    load_salon(pair.target.dsn, Load::tables);
    const Preflight good(pair.daemon);
    CHECK(text_of(good.errors()) == "");
    CHECK(good.outcome.exit_code == 0);
    CHECK(good.report["ready"] == true);
    CHECK(good.report["ddl"] == "");
    for (const Break& breakage : kSourceBreaks) {
      break_and_mend(pair, breakage, good);
    }
  }

  TEST_CASE("each single thing of the target's broken is named and mended") {
    Pair pair;
    load_salon(pair.source.dsn, Load::tables_and_rows);
    load_salon(pair.target.dsn, Load::tables);
    const Preflight good(pair.daemon);
    for (const Break& breakage : kTargetBreaks) {
      break_and_mend(pair, breakage, good);
    }
  }

  TEST_CASE("a WAL that cannot be decoded is named, mended by the SQL and a restart") {
    PairOptions options;
    options.source_settings = {{"wal_level", "replica"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    const auto found = Preflight(pair.daemon).errors();
    INFO(text_of(found));
    REQUIRE(found.size() == 1);
    CHECK(found[0].check == "wal_level");
    pair.source.cluster->set({{"wal_level", "logical"}});
    pair.source.cluster->restart(StopMode::fast);
    CHECK(text_of(Preflight(pair.daemon).errors()) == "");
  }

  TEST_CASE("a transaction that a slot would wait for is named with what ends it") {
    PairOptions options;
    options.source_settings = {{"max_prepared_transactions", "5"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key)");
    const Preflight good(pair.daemon);
    CHECK(text_of(good.errors()) == "");
    pair.on_source("begin; insert into t values (1); prepare transaction 'left behind'");
    std::this_thread::sleep_for(1s);
    const auto found = Preflight(pair.daemon).new_since(good);
    INFO(text_of(found));
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == "error");
    CHECK(found[0].check == "transactions");
    mend(pair, found[0]);
    CHECK(text_of(Preflight(pair.daemon).new_since(good)) == "");
  }

  TEST_CASE("tables of the target that hold rows are named") {
    Pair pair;
    pair.on_both("create table t (id int primary key); create table empty (id int primary key)");
    pair.on_target("insert into t values (1)");
    const auto found = Preflight(pair.daemon).errors();
    INFO(text_of(found));
    REQUIRE(found.size() == 1);
    CHECK(found[0].check == "not_empty");
    CHECK(found[0].what.find("public.t") != std::string::npos);
    CHECK(found[0].what.find("empty (") == std::string::npos);
    CHECK(found[0].sql == "");
  }

  TEST_CASE("a side that is away is one finding; the other is examined all the same") {
    Pair pair;
    pair.on_source("create table t (id int)");
    pair.target.cluster->stop(StopMode::fast);
    const Preflight preflight(pair.daemon);
    const auto found = preflight.errors();
    INFO(text_of(found));
    REQUIRE(found.size() == 2);
    CHECK(found[0].check == "connect");
    CHECK(found[0].side == "target");
    CHECK(found[1].check == "replica_identity");
    CHECK(preflight.outcome.exit_code == 1);
    CHECK(pair.daemon.replctl({"doctor", "--ddl"}).exit_code == 1);
  }

  TEST_CASE("a running link disturbs nothing and is not disturbed") {
    Pair pair;
    load_salon(pair.source.dsn, Load::tables_and_rows);
    load_salon(pair.target.dsn, Load::tables);
    const Preflight before(pair.daemon);
    REQUIRE(pair.begin());
    const Preflight during(pair.daemon);
    CHECK(text_of(during.errors()) == "");
    CHECK(text_of(during.new_since(before)) == "");
    pair.on_source("update clients set notes = 'seen'");
    CHECK(pair.caught_up());
    CHECK(pair.difference({"public.clients", "public.bookings"}) == "");
  }
}
