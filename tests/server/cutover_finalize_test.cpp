// finalize ends the replication wherever the groups live, and leaves nothing on either side.
#include <doctest/doctest.h>

#include "server/cutover_runs.h"

using namespace repld::testing;

namespace {

// What repld makes in a database, but for its schema; and what it sets aside.
std::string traces_on(const Platform& side) {
  return Pair::run_sql(
             side.superuser_dsn,
             "select string_agg(line, ', ' order by line) from ("
             "select 'slot ' || slot_name as line from pg_replication_slots "
             "where database = current_database() and slot_name like 'repld%' union all "
             "select 'publication ' || pubname from pg_publication where pubname like 'repld%' "
             "union all select 'guard of ' || tgrelid::regclass from pg_trigger "
             "where tgname like 'repld%' union all "
             "select 'disabled ' || tgname from pg_trigger "
             "where tgname = 'touch' and tgenabled <> 'O' union all "
             "select 'not valid ' || conname from pg_constraint where not convalidated "
             "union all select 'lacks ' || name from unnest('{b_a_id_fkey}'::text[]) name "
             "where not exists (select from pg_constraint where conname = name)) lines")[0][0]
      .as<std::string>("");
}

int64_t rows_of_state(const Platform& side) {
  return Pair::run_sql(side.dsn,
                       "select (select count(*) from repld.route) + (select count(*) from "
                       "repld.cutover) + (select count(*) from repld.set_aside) + (select "
                       "count(*) from repld.progress)")[0][0]
      .as<int64_t>();
}

// Applications are told the same as before: nobody has moved them.
void check_nothing_left(const MovingPair& pair) {
  const std::string primary = pair.primary();
  const Outcome ended = pair.daemon.replctl({"finalize", "--yes"});
  CHECK_MESSAGE(ended.exit_code == 0, ended.out << ended.err);
  for (const Platform* side : {&pair.source, &pair.target}) {
    CHECK(traces_on(*side) == "");
    CHECK(rows_of_state(*side) == 0);
    CHECK(pair.write(*side) == "");
  }
  CHECK_FALSE(eventually(1s, [&] { return pair.primary() != primary; }));
}

}  // namespace

TEST_SUITE("cutover_finalize") {
  TEST_CASE("after a cutover finalize leaves nothing on either side") {
    MovingPair pair;
    REQUIRE(pair.ready());
    REQUIRE(pair.cutover().exit_code == 0);
    check_nothing_left(pair);
  }

  TEST_CASE("after a rollback finalize leaves nothing on either side") {
    MovingPair pair;
    REQUIRE(pair.ready());
    REQUIRE(pair.cutover().exit_code == 0);
    REQUIRE(pair.rollback().exit_code == 0);
    check_nothing_left(pair);
  }

  TEST_CASE("after a cutover without a way back finalize opens the old side too") {
    MovingPair pair;
    REQUIRE(pair.ready());
    REQUIRE(pair.cutover({"--without-reverse"}).exit_code == 0);
    check_nothing_left(pair);
  }
}
