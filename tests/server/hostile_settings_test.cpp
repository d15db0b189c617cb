// Settings that a provider's panel, or a former owner, may have left on a server: none may change
// a value or stop the link, because each of our sessions pins what matters.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

TEST_SUITE("hostile_settings") {
  TEST_CASE("the worst settings on both sides change no value and stop nothing") {
    Pair pair;
    make_hostile(pair.source);
    make_hostile(pair.target);
    pair.on_both(
        "create table public.v (id int primary key, t text, a text[], b bytea, d date, "
        "ts timestamp, tz timestamptz, i interval, f float8, x xml); "
        "create table public.k (a text, n float8)");
    pair.on_source("alter table public.k replica identity full");
    const std::string row =
        "'back' || chr(92) || 'slash ''quoted''', array['null', null, '', chr(92) || chr(34)], "
        "decode('005cff', 'hex'), '2026-02-01', '2026-02-01 03:04:05.678901', "
        "'2026-07-01 00:00:00+00', '1 year 2 mons -3 days 04:05:06.7'::interval, "
        "0.1::float8 + 0.2::float8, '<a>b</a>'";
    pair.on_source("insert into public.v select i, " + row + " from generate_series(1, 50) i");
    pair.on_source("insert into public.k values ('x', 0.1::float8 + 0.2::float8), (null, null)");
    REQUIRE(pair.begin());
    pair.on_source("insert into public.v select i, " + row + " from generate_series(51, 99) i");
    pair.on_source("update public.v set tz = tz + interval '1 hour', i = i * 2 where id < 20");
    pair.on_source("update public.k set a = 'y' where n is not distinct from 0.1::float8 + 0.2");
    pair.on_source("delete from public.k where a is null");
    std::this_thread::sleep_for(2s);  // longer than every idle timeout
    pair.on_source("delete from public.v where id = 60");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.v", "public.k"}) == "");
    CHECK(pair.count(pair.target.dsn, "public.k") == 1);
    CHECK(pair.link()["reconnects_source"] == 0);
    CHECK(pair.link()["reconnects_target"] == 0);
  }

  TEST_CASE("a time limit on transactions, which 17 and later have, ends none of ours") {
    PairOptions options;
    options.source_version = 17;
    Pair pair(options);
    const std::string limit = " set transaction_timeout = '300ms'";
    as_admin(pair.source, "alter database postgres" + limit);
    as_admin(pair.target, "alter database default_db" + limit);
    pair.on_both("create table t (id int primary key)");
    // So that the copy of three rows, and a batch of three, take longer.
    pair.on_target("alter table t add constraint slow check (pg_sleep(0.2) is not null)");
    pair.on_source("insert into t values (1), (2), (3)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (4), (5), (6)");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.link()["reconnects_source"] == 0);
    CHECK(pair.link()["reconnects_target"] == 0);
  }

  TEST_CASE("a target that became read-only is waited for and told, and nothing is lost") {
    Pair pair;
    pair.on_both("create table t (id int primary key)");
    REQUIRE(pair.begin());
    Pair::run_sql(pair.target.superuser_dsn,
                  "alter database default_db set default_transaction_read_only = on");
    Pair::run_sql(pair.target.superuser_dsn,
                  "select pg_terminate_backend(pid) from pg_stat_activity where pid <> "
                  "pg_backend_pid() and usename = 'gen_user'");
    pair.on_source("insert into t values (1)");
    REQUIRE(pair.daemon.wait_for_state("retrying", 20s));
    CHECK(eventually(20s, [&] { return pair.link()["error"]["sqlstate"] == "25006"; }));
    Pair::run_sql(pair.target.superuser_dsn,
                  "begin read write; alter database default_db reset "
                  "default_transaction_read_only; commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
  }
}
