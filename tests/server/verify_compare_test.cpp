// Tables compared on two servers: each way of being different is found, with the keys and counts
// that it should be, and equal tables are equal however they are laid out.
#include <doctest/doctest.h>

#include <thread>

#include "server/verify_sides.h"

using namespace repld;
using namespace repld::testing;

namespace {

constexpr const char* kBookings =
    "create table bookings (id int primary key, client text not null, note text, at timestamptz, "
    "staff uuid); insert into bookings select i, 'client ' || i % 7, nullif('n' || i % 3, 'n0'), "
    "timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', md5(i::text)::uuid "
    "from generate_series(1, 20000) i";

// So that statistics exist and there are as many buckets as there should be.
void analyze(const Sides& sides) {
  run_alone(sides.source().dsn, "analyze public.bookings");
  run_alone(sides.target().dsn, "analyze public.bookings");
}

bool is_busy(const Platform& platform, const std::string& condition) {
  return Pair::run_sql(platform.superuser_dsn,
                       "select from pg_stat_activity where state = 'active' "
                       "and pid <> pg_backend_pid() and " +
                           condition)
             .size() == 1;
}

// Asks to stop as soon as something is so.
class StopWhen {
 public:
  explicit StopWhen(std::function<bool()> reached)
      : thread_([this, reached = std::move(reached)] {
          eventually(60s, reached);
          source_.request_stop();
        }) {}

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread thread_;
};

}  // namespace

TEST_SUITE("verify_compare") {
  TEST_CASE("lost, extra and changed rows are found among many, and nothing else") {
    Sides sides;
    sides.on_both(kBookings);
    analyze(sides);
    CHECK(sides.prove("bookings") == "20000 rows:");
    sides.on_target(
        "delete from bookings where id in (5, 20000); "
        "insert into bookings values (-1, 'nobody', null, null, null); "
        "update bookings set note = '' where id = 3; "
        "update bookings set at = at + interval '1 microsecond' where id = 77; "
        "update bookings set staff = md5('7')::uuid where id = 78; "
        "update bookings set id = 30000 where id = 100");
    CHECK(sides.prove("bookings") ==
          "20000 rows: different 3; different 77; different 78; extra -1; extra 30000; "
          "missing 100; missing 20000; missing 5;");
    CHECK(sides.prove("bookings", std::vector<std::string>{"id", "client"})
              .find("missing 100,client 2;") != std::string::npos);
  }

  TEST_CASE("counts stay exact when more rows differ than are listed") {
    Sides sides;
    sides.on_both(kBookings);
    analyze(sides);
    sides.on_target("delete from bookings where id > 12345; update bookings set note = 'x'");
    const std::string found = sides.prove("bookings", {}, {3});
    CHECK(found.find("in all 7655 missing, 0 extra, 12345 different") != std::string::npos);
    CHECK(std::count(found.begin(), found.end(), ';') == 3);
  }

  TEST_CASE("rows that have exchanged values are different, although all values are there") {
    Sides sides;
    sides.on_both(
        "create table t (id int primary key, a text, b text); "
        "insert into t values (1, 'x', 'y'), (2, 'y', 'x'), (3, 'z', null), (4, null, 'z'); "
        "create table n (a int, b int); insert into n values (1, 2), (3, 4)");
    sides.on_target(
        "update t set a = b, b = a where id in (2, 3); update t set a = 'y' where id = 1; "
        "update n set b = 6 - b");
    CHECK(sides.prove("t") == "4 rows: different 1; different 2; different 3;");
    CHECK(sides.prove("n") == "2 rows: extra 1,4; extra 3,2; missing 1,2; missing 3,4;");
  }

  TEST_CASE("one changed byte in a large value is found") {
    Sides sides;
    sides.on_both(
        "create table t (id int primary key, v text, b bytea); insert into t select i, "
        "string_agg(md5((i * j)::text), ''), decode(string_agg(md5((i + j)::text), ''), 'hex') "
        "from generate_series(1, 3) i, generate_series(1, 3200) j group by i");
    CHECK(sides.prove("t") == "3 rows:");
    sides.on_target(
        "update t set v = overlay(v placing 'x' from 70000) where id = 2; "
        "update t set b = set_byte(b, 50000, (get_byte(b, 50000) + 1) % 256) where id = 3");
    CHECK(sides.prove("t") == "3 rows: different 2; different 3;");
  }

  TEST_CASE("in a table without a key each of several equal rows counts") {
    Sides sides;
    sides.on_both("create table t (a int, b text)");
    sides.on_source("insert into t values (1, 'x'), (1, 'x'), (1, 'x'), (2, null), (2, '')");
    sides.on_target("insert into t values (1, 'x'), (2, null), (2, null), (2, null), (2, '')");
    CHECK(sides.prove("t") == "5 rows: extra 2,null; extra 2,null; missing 1,x; missing 1,x;");
  }

  TEST_CASE("rows are compared through the root, whatever the partitions of either side") {
    Sides sides;
    const std::string root =
        "create table t (id int, day date, v text, primary key (id, day)) partition by range "
        "(day);";
    sides.on_source(
        root +
        "create table a partition of t for values from ('2026-01-01') to ('2026-02-01');"
        "create table b partition of t for values from ('2026-02-01') to ('2026-03-01')");
    sides.on_target(
        root +
        "create table c partition of t for values from ('2026-01-01') to ('2026-03-01') "
        "partition by hash (id); create table c0 partition of c for values with "
        "(modulus 2, remainder 0); create table c1 partition of c for values with "
        "(modulus 2, remainder 1)");
    sides.on_both(
        "insert into t select i, date '2026-01-01' + i % 59, 'v' from generate_series(1, 500) i");
    CHECK(sides.prove("t") == "500 rows:");
    sides.on_target("update t set day = '2026-02-20' where id = 1");
    CHECK(sides.prove("t") == "500 rows: extra 1,2026-02-20; missing 1,2026-01-02;");
  }

  TEST_CASE("a root without partitions equals one without rows") {
    Sides sides;
    sides.on_both("create table t (id int primary key) partition by range (id)");
    CHECK(sides.prove("t") == "0 rows:");
    sides.on_target("create table a partition of t default; insert into t values (1)");
    CHECK(sides.prove("t") == "0 rows: extra 1;");
  }

  TEST_CASE("rows without columns are counted") {
    Sides sides;
    sides.on_both("create table t (); insert into t default values");
    CHECK(sides.prove("t") == "1 rows:");
    sides.on_source("insert into t default values");
    CHECK(sides.prove("t") == "2 rows: missing;");
  }

  TEST_CASE("columns that are computed are left out, and of other orders made the same") {
    Sides sides;
    sides.on_source(
        "create table t (id int generated always as identity primary key, a int, "
        "twice int generated always as (a * 2) stored, here text); "
        "insert into t (a, here) values (1, 'x'), (2, 'y')");
    sides.on_target(
        "create table t (here text, a int, more int default 7, "
        "id int generated by default as identity primary key, "
        "twice int generated always as (a * 3) stored); "
        "insert into t (id, a, here) values (1, 1, 'x'), (2, 2, 'y')");
    CHECK(sides.prove("t") == "2 rows:");
  }

  TEST_CASE("a default that was never streamed is found in each row") {
    Sides sides;
    sides.on_both("create table t (id int primary key); insert into t values (1), (2)");
    sides.on_source("alter table t add column state text default 'new'");
    sides.on_target("alter table t add column state text");
    CHECK(sides.prove("t") == "2 rows: different 1; different 2;");
  }

  TEST_CASE("filters and column lists bound what is compared on both sides") {
    Sides sides;
    sides.on_both(
        "create table t (id int primary key, region text, secret text); "
        "insert into t values (1, 'eu', 'a'), (2, 'us', 'b'), (3, 'eu', 'c')");
    sides.on_target(
        "delete from t where region = 'us'; insert into t values (9, 'asia', null); "
        "update t set secret = null");
    Snapshots snapshots = sides.snapshots();
    ComparedTable table = snapshots.table("t");
    table.columns = {"id", "region"};
    table.source[0].filter = table.target[0].filter = "(region = 'eu'::text)";
    CHECK(readable(snapshots.prove(table)) == "2 rows:");
    table.target[0].filter.clear();
    CHECK(readable(snapshots.prove(table)) == "2 rows: extra 9;");
  }

  TEST_CASE("a table emptied before the snapshots has lost its rows") {
    Sides sides;
    sides.on_both("create table t (id int primary key); insert into t values (1), (2)");
    sides.on_target("truncate t");
    CHECK(sides.prove("t") == "2 rows: missing 1; missing 2;");
    sides.on_source("truncate t");
    CHECK(sides.prove("t") == "0 rows:");
  }

  TEST_CASE("what changes under the snapshots is unproven, never equal") {
    Sides sides;
    const std::string tables =
        "create table t (id int primary key, v int); insert into t values (1, 1); "
        "create table p (id int primary key) partition by range (id); "
        "create table p0 partition of p for values from (0) to (10); "
        "create table p1 (id int primary key); insert into p1 values (11)";
    struct Row {
      std::string table;
      std::string on_source;
      std::string on_target;
      std::string side;
    };
    const Row rows[] = {
        {"t", "truncate t", "select 1", "source"},
        {"t", "truncate t", "delete from t", "source"},
        {"t", "select 1", "alter table t alter v type bigint", "target"},
        {"t", "select 1", "drop table t; create table t (id int primary key, v int)", "target"},
        {"p", "select 1", "alter table p attach partition p1 for values from (10) to (20)",
         "target"},
    };
    sides.on_both(tables);
    for (const Row& row : rows) {
      CAPTURE(row.on_source);
      CAPTURE(row.on_target);
      sides.on_both("drop table t, p; drop table if exists p1; " + tables);
      Snapshots snapshots = sides.snapshots();
      const ComparedTable table = snapshots.table(row.table);
      sides.on_source(row.on_source);
      sides.on_target(row.on_target);
      CHECK(readable(snapshots.prove(table)) ==
            fmt::format("unproven: rewritten, truncated or repartitioned on the {} meanwhile",
                        row.side));
    }
  }

  TEST_CASE("a partition made under the snapshots does no harm") {
    Sides sides;
    sides.on_both(
        "create table p (id int primary key) partition by range (id); "
        "create table p0 partition of p for values from (0) to (10); insert into p values (1)");
    Snapshots snapshots = sides.snapshots();
    const ComparedTable table = snapshots.table("p");
    sides.on_both(
        "create table p1 partition of p for values from (10) to (20); "
        "insert into p values (11)");
    CHECK(readable(snapshots.prove(table)) == "1 rows:");
  }

  TEST_CASE("stopping ends the statements of both servers") {
    Sides sides;
    sides.on_both("create table t (id int primary key); insert into t values (1)");
    Snapshots snapshots = sides.snapshots();
    ComparedTable table = snapshots.table("t");
    table.source[0].filter = table.target[0].filter = "pg_sleep(3600) is null";
    const auto sleeping = [](const Platform& platform) {
      return is_busy(platform, "query like 'copy %'");
    };
    const StopWhen stop([&] { return sleeping(sides.source()) && sleeping(sides.target()); });
    CHECK_THROWS_WITH_AS(snapshots.prove(table, {}, stop.token()), "stopped", Error);
    CHECK(eventually(10s, [&] { return !sleeping(sides.source()) && !sleeping(sides.target()); }));
  }

  TEST_CASE("stopping ends the wait for a table that somebody has locked") {
    Sides sides;
    sides.on_both("create table t (id int primary key); insert into t values (1)");
    Snapshots snapshots = sides.snapshots();
    const ComparedTable table = snapshots.table("t");
    pqxx::connection other(sides.target().dsn);
    pqxx::work locking(other);
    locking.exec("lock table public.t in access exclusive mode");
    const StopWhen stop([&] { return is_busy(sides.target(), "wait_event_type = 'Lock'"); });
    CHECK_THROWS_WITH_AS(snapshots.prove(table, {}, stop.token()), "stopped", Error);
  }

  TEST_CASE("what fails on one side ends the other, and quotes no row") {
    Sides sides;
    sides.on_both(
        "create table t (id int primary key, v text); insert into t values (1, 'secret')");
    Snapshots snapshots = sides.snapshots();
    ComparedTable table = snapshots.table("t");
    table.source[0].filter = "pg_sleep(3600) is null";
    table.target[0].filter = "v::int = 1";
    try {
      snapshots.prove(table);
      FAIL("a failing statement was not noticed");
    } catch (const Error& error) {
      CHECK(error.sqlstate() == "22P02");
      CHECK((error.what() + error.detail()).find("secret") == std::string::npos);
    }
  }

  TEST_CASE("the scan of a large table may be planned in parallel") {
    Sides sides;
    sides.on_both(kBookings);
    ScanPlan plan;
    plan.columns = {{"id", ColumnForm::int4, true},
                    {"at", ColumnForm::timestamptz, false},
                    {"note", ColumnForm::text, false},
                    {"staff", ColumnForm::output, false}};
    const TablePart part = {{"public", "bookings"}, false, "id > 0"};
    std::string scan = bucket_scan(plan, {part, part});
    scan = scan.substr(6, scan.rfind(") to stdout") - 6);
    for (const Platform* platform : {&sides.source(), &sides.target()}) {
      std::string lines;
      for (const auto& row : Pair::run_sql(
               platform->dsn,
               "set parallel_setup_cost = 0; set parallel_tuple_cost = 0; "
               "set min_parallel_table_scan_size = 0; set max_parallel_workers_per_gather = 2; "
               "explain " +
                   scan)) {
        lines += std::string(row[0].c_str()) + "\n";
      }
      CAPTURE(lines);
      CHECK(lines.find("Partial HashAggregate") != std::string::npos);
      CHECK(lines.find("Parallel Seq Scan") != std::string::npos);
    }
  }
}
