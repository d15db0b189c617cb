// Builds an empty target into a fitting one from doctor's own DDL, and replicates into it.
#include <doctest/doctest.h>

#include <fstream>

#include "doctor_runs.h"
#include "support/sample_databases.h"

using namespace repld::testing;

namespace {

// Through psql, as its user would.
void run_own_ddl(const Pair& pair) {
  const Outcome ddl = pair.daemon.replctl({"doctor", "--ddl"});
  REQUIRE_MESSAGE(ddl.exit_code == 0, ddl.err);
  REQUIRE(ddl.out.rfind("begin;", 0) == 0);
  const std::string path = pair.daemon.directory() + "/target.sql";
  std::ofstream(path) << ddl.out;
  run_script(pair.target.dsn, path);
}

std::vector<std::string> tables_of(const Pair& pair) {
  std::vector<std::string> tables;
  for (const auto& row :
       pair.on_source("select format('%I.%I', schemaname, tablename) from pg_tables t "
                      "join pg_class c on c.oid = format('%I.%I', schemaname, tablename)::regclass "
                      "where schemaname = 'public' and not c.relispartition")) {
    tables.emplace_back(row[0].c_str());
  }
  return tables;
}

void build_and_replicate(Pair& pair) {
  CHECK(Preflight(pair.daemon).outcome.exit_code == 1);
  run_own_ddl(pair);
  const Preflight after(pair.daemon);
  CHECK(text_of(after.errors()) == "");
  CHECK(after.report["ddl"] == "");
  REQUIRE(pair.begin());
  CHECK(pair.difference(tables_of(pair)) == "");
}

}  // namespace

TEST_SUITE("doctor") {
  TEST_CASE("its DDL makes an empty target fit the salon, and the copy works") {
    Pair pair;
    load_salon(pair.source.dsn, Load::tables_and_rows);
    build_and_replicate(pair);
    CHECK(pair.count(pair.target.dsn, "pg_policies where tablename = 'clients'") == 1);
    CHECK(pair.count(pair.target.dsn, "pg_inherits where inhparent = 'messages'::regclass") == 5);
  }

  TEST_CASE("its DDL makes an empty target fit Pagila, and the copy works") {
    const auto directory = pagila_directory();
    if (!directory) {
      MESSAGE("SKIPPED: the dump of Pagila is not there; set REPLD_TEST_DATA");
      return;
    }
    Pair pair;
    load_pagila(*directory, pair.source.dsn, Load::tables_and_rows);
    build_and_replicate(pair);
  }

  TEST_CASE("types, defaults and keys of every kind come out as they were") {
    Pair pair;
    Pair::run_sql(pair.source.superuser_dsn, "create extension citext schema extensions");
    pair.on_source(R"(
      create schema "Other ""one"""; create type mood as enum ('it''s', 'so-so');
      create domain short as varchar(5) default 'x' check (value <> '');
      create type place as (x int, mood mood); create type span as range (subtype = float8);
      create sequence shared_numbers start 100 increment 5;
      create function next_code() returns text language sql as
        $$ select 'c' || nextval('public.shared_numbers') $$;
      create table "Other ""one"""."Select" ("Order" int generated always as identity (start 7)
        primary key, "from" text collate "C");
      create table everything (
        id int default nextval('shared_numbers') primary key, code text default next_code(),
        m mood[] default '{}', s short, p place, r span, c extensions.citext not null,
        twice int generated always as (id * 2) stored, at timestamptz(3) default '2026-01-01 UTC',
        during tsrange, b bit varying(5) default B'101',
        unique (code) deferrable initially deferred,
        exclude using gist (during with &&) where (during is not null),
        foreign key (id) references "Other ""one"""."Select" on delete cascade);
      create index on everything ((lower(code)), id desc nulls last) include (at) where id > 0;
      create table parent (id int primary key, kind text not null default 'p');
      create table child (extra int) inherits (parent); alter table child add primary key (id);
      alter table child alter kind set default 'c';
      create table parts (a int, b int default 1, primary key (a, b)) partition by hash (a);
      create table parts_0 partition of parts for values with (modulus 2, remainder 0)
        partition by list (b);
      create table parts_0_x partition of parts_0 default;
      alter table parts_0_x alter b set default 2;
      create table parts_1 partition of parts for values with (modulus 2, remainder 1);
    )");
    Daemon daemon(pair.source.remote_dsn, pair.target.remote_dsn, "all",
                  "[tables]\ninclude = [\"public.*\", 'Other \"one\".*']");
    const Outcome ddl = daemon.replctl({"doctor", "--ddl"});
    REQUIRE(ddl.exit_code == 0);
    const std::string path = pair.daemon.directory() + "/all.sql";
    std::ofstream(path) << ddl.out;
    run_script(pair.target.dsn, path);
    CHECK(text_of(Preflight(daemon).errors()) == "");
    CHECK(Preflight(daemon).report["ddl"] == "");
    CHECK(pair.on_target("insert into \"Other \"\"one\"\"\".\"Select\" (\"from\") values ('a') "
                         "returning \"Order\"")[0][0]
              .as<int>() == 7);
  }

  TEST_CASE("what only exists on the source's platform is left out or said otherwise, and named") {
    Pair pair;
    Pair::run_sql(pair.source.superuser_dsn, R"(
      create extension "uuid-ossp" schema extensions;
      create schema supabase_functions;
      create function supabase_functions.http_request() returns trigger language plpgsql as
        $$ begin return new; end $$;
      grant usage on schema supabase_functions to postgres;
      grant references on auth.users to postgres)");
    pair.on_source(R"(
      create table notes (id uuid primary key default extensions.uuid_generate_v4(),
        user_id uuid default auth.uid() references auth.users (id), body text);
      alter table notes enable row level security;
      create policy own on notes for select to authenticated using (user_id = auth.uid());
      create trigger hook after insert on notes for each row
        execute function supabase_functions.http_request();
      insert into notes (body) values ('one'), ('two'))");
    const std::string text = text_of(Preflight(pair.daemon).problems());
    for (const char* part :
         {"default of public.notes.id becomes gen_random_uuid()",
          "default of public.notes.user_id is left out",
          "notes_user_id_fkey of public.notes is left out",
          "policies of public.notes are left out: own", "trigger hook of public.notes is left out",
          "rights of anon, authenticated, service_role"}) {
      const std::string wanted = part;
      CAPTURE(wanted);
      CHECK(text.find(wanted) != std::string::npos);
    }
    build_and_replicate(pair);
  }

  TEST_CASE("groups: what crosses them is named, what lives on the target is not asked for") {
    PairOptions options;
    options.extra =
        "[[groups]]\nname = \"clients\"\ntables = [\"public.clients\"]\n"
        "[[groups]]\nname = \"whatsapp\"\ntables = [\"public.whatsapp_*\"]\nprimary = \"target\"\n";
    Pair pair(options);
    load_salon(pair.source.dsn, Load::tables);
    run_own_ddl(pair);
    const Preflight preflight(pair.daemon);
    CHECK(text_of(preflight.errors()) == "");
    CHECK(text_of(preflight.problems())
              .find("bookings_client_id_fkey leads from public.bookings "
                    "(group all) to public.clients (group clients)") != std::string::npos);
    CHECK(pair.count(pair.target.dsn, "pg_tables where tablename like 'whatsapp%'") == 0);
    bool together = false;
    for (const auto& group : preflight.report["closed_groups"]) {
      const std::string members = group.dump();
      together = together || (members.find("public.bookings") != std::string::npos &&
                              members.find("public.clients") != std::string::npos);
    }
    CHECK(together);
  }
}
