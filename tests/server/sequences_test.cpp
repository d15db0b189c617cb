// Sequences are not in the stream: they are brought along while the link streams.
#include <doctest/doctest.h>

#include "support/pair.h"

using namespace repld::testing;

namespace {

std::string place(const std::string& dsn, const std::string& sequence) {
  const auto row = Pair::run_sql(dsn, "select last_value, is_called from " + sequence)[0];
  return std::string(row[0].c_str()) + (row[1].as<bool>() ? " called" : "");
}

std::string events(const Pair& pair) { return pair.daemon.replctl({"events"}).out; }

}  // namespace

TEST_SUITE("sequences") {
  TEST_CASE(
      "sequences that replicated tables use are followed, never backwards, and no others are") {
    PairOptions options;
    options.extra =
        "[[groups]]\nname = \"home\"\ntables = [\"public.home\"]\nprimary = \"target\"\n";
    Pair pair(options);
    pair.on_both(
        "create table a (id bigserial primary key); "
        "create table i (id int generated always as identity (increment by -3 minvalue -9000 start "
        "-1) primary key); "
        "create sequence rounds maxvalue 5 cycle; create sequence shared; create sequence alone; "
        "create sequence mixed; "
        "create table d (id int primary key default nextval('shared')); "
        "create table r (id int primary key default nextval('rounds')); "
        "create table e (id int primary key default nextval('mixed')); "
        "create table home (id serial primary key, e int default nextval('mixed'))");
    pair.on_source("alter sequence a_id_seq rename to other_name; alter sequence shared cache 50");
    // Two of one column lead to the one that the target has for it.
    pair.on_source("create sequence a_older owned by a.id; select setval('a_older', 3)");
    REQUIRE(pair.begin());
    pair.on_source(
        "insert into a select from generate_series(1, 7); insert into i select from "
        "generate_series(1, 7); insert into d default values; insert into home default values; "
        "select setval('rounds', 4); select setval('alone', 400); select setval('mixed', 600)");
    CHECK(eventually(40s, [&] { return place(pair.target.dsn, "a_id_seq") == "7 called"; }));
    CHECK(place(pair.target.dsn, "i_id_seq") == "-19 called");
    CHECK(place(pair.target.dsn, "shared") == "50 called");
    CHECK(place(pair.target.dsn, "home_id_seq") == "1");
    CHECK(place(pair.target.dsn, "rounds") == "1");
    CHECK(place(pair.target.dsn, "alone") == "1");
    CHECK(place(pair.target.dsn, "mixed") == "1");
    const std::string told = events(pair);
    CHECK_MESSAGE(
        told.find("not brought along: public.mixed (a table that is no replica uses it") !=
            std::string::npos,
        told);

    // Where the target is ahead it stays, and what the source catches up with is followed again.
    pair.on_target("select setval('shared', 500)");
    pair.on_source("select setval('shared', 400); insert into a default values");
    CHECK(eventually(40s, [&] { return place(pair.target.dsn, "a_id_seq") == "8 called"; }));
    CHECK(place(pair.target.dsn, "shared") == "500 called");
  }

  TEST_CASE("sequences that may not be read or set are named once, and the others are followed") {
    Pair pair;
    pair.on_both("create table a (id serial primary key); create table b (id serial primary key)");
    pair.on_source("create sequence missing");
    as_admin(pair.source, "create sequence public.hidden; create sequence public.locked");
    as_admin(pair.source, "grant select on sequence public.locked to " + pair.source.user);
    as_admin(pair.source, "revoke all on sequence public.hidden from " + pair.source.user +
                              "; revoke pg_read_all_data from " + pair.source.user);
    as_admin(pair.target, "create sequence public.hidden; create sequence public.locked");
    pair.on_both(
        "create table h (id int primary key default nextval('hidden')); "
        "create table l (id int primary key default nextval('locked')); "
        "create table m (id int primary key)");
    pair.on_source("alter table m alter id set default nextval('missing')");
    REQUIRE(pair.begin());
    pair.on_source("insert into a default values; insert into b default values");
    CHECK(eventually(40s, [&] {
      return place(pair.target.dsn, "a_id_seq") == "1 called" &&
             place(pair.target.dsn, "b_id_seq") == "1 called";
    }));
    const std::string told = events(pair);
    CHECK_MESSAGE(told.find("public.hidden (we may not read it") != std::string::npos, told);
    CHECK_MESSAGE(told.find("public.locked (we may not set it") != std::string::npos, told);
    CHECK_MESSAGE(told.find("public.missing (the other side has none)") != std::string::npos, told);
    CHECK(told.find("not brought along") == told.rfind("not brought along"));
  }
}
