// What is larger than the memory repld may use.
//
// REPLD_TEST_HUGE_MB: how much one transaction writes, 200 by default. script/test --all: 1024.
// REPLD_TEST_BACKLOG_MB: WAL of what was committed while the daemon was away, 128 by default.
// script/test --all: 5120.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "support/pair.h"

using namespace repld::testing;

namespace {

int64_t megabytes(const char* variable, int64_t otherwise) {
  const char* given = std::getenv(variable);
  return given == nullptr ? otherwise : std::atoll(given);
}
int64_t huge_mb() { return megabytes("REPLD_TEST_HUGE_MB", 200); }
int64_t backlog_mb() { return megabytes("REPLD_TEST_BACKLOG_MB", 128); }

// The most memory the daemon has had in use so far, MB.
int64_t peak_mb(const Pair& pair) {
  std::ifstream status("/proc/" + std::to_string(pair.daemon.pid()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) {
      return std::atoll(line.c_str() + 6) / 1024;
    }
  }
  return -1;
}

// Sanitizers keep what is freed, and shadows of it all.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kJudged = false;
#else
constexpr bool kJudged = true;
#endif

void check_peak(int64_t peak, int64_t allowed_mb) {
  MESSAGE("peak memory ", peak, " MB of ", allowed_mb,
          std::string(kJudged ? "" : ", not judged here"));
  CHECK((peak > 0 && (peak <= allowed_mb || !kJudged)));
}
void check_peak(const Pair& pair, int64_t allowed_mb) { check_peak(peak_mb(pair), allowed_mb); }

// The same of a daemon that is about to die, of which nothing can be asked afterwards.
class PeakWatch {
 public:
  explicit PeakWatch(const Pair& pair)
      : thread_([this, &pair](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            peak_ = std::max(peak_.load(), peak_mb(pair));
            std::this_thread::sleep_for(5ms);
          }
        }) {}

  int64_t peak() const { return peak_; }

 private:
  std::atomic<int64_t> peak_{-1};
  std::jthread thread_;  // last: it uses the rest
};

// Reads the number of rows on the target again and again, and notes every one it saw.
class Onlooker {
 public:
  explicit Onlooker(const Pair& pair)
      : thread_([this, dsn = pair.target.dsn](const std::stop_token& stop) {
          pqxx::connection connection(dsn);
          while (!stop.stop_requested()) {
            const auto begun = std::chrono::steady_clock::now();
            const auto rows =
                pqxx::nontransaction(connection).exec("select count(*) from public.t");
            const auto count = rows[0][0].as<int64_t>();
            partly_ = partly_ || (count != 0 && count != whole_);
            // Each look reads all that is not committed yet: most of the time is left to repld.
            std::this_thread::sleep_for(50ms + 4 * (std::chrono::steady_clock::now() - begun));
          }
        }) {}

  void expect(int64_t whole) { whole_ = whole; }
  bool saw_a_part() const { return partly_; }

 private:
  std::atomic<int64_t> whole_{0};
  std::atomic<bool> partly_{false};
  std::jthread thread_;  // last: it uses the rest
};

// MB of WAL that the source keeps for the link.
int64_t retained_mb(const Pair& pair) {
  return pair
      .on_source(
          "select (pg_current_wal_lsn() - restart_lsn)::bigint / 1024 / 1024 "
          "from pg_replication_slots")[0][0]
      .as<int64_t>();
}

// Transactions of a few hundred rows, as a busy day leaves them: rows that come, change and go.
void write_backlog(const Pair& pair) {
  constexpr const char* kRound =
      "do $$ declare last bigint; begin for i in 1 .. 40 loop "
      "insert into public.t select nextval('public.numbers'), i, repeat(md5(random()::text), 30) "
      "from generate_series(1, 500); last := currval('public.numbers'); "
      "update public.t set n = n + 1 where id > last - 700 and id % 5 = 0; "
      "delete from public.t where id > last - 600 and id % 7 = 0; "
      "commit; end loop; end $$";
  pqxx::connection connection(pair.source.dsn);
  pqxx::nontransaction session(connection);
  while (retained_mb(pair) < backlog_mb()) {
    session.exec(kRound);
  }
}

}  // namespace

TEST_SUITE("large") {
  TEST_CASE("a backlog is caught up with in bounded memory, and through a kill") {
    PairOptions options;
    options.source_settings = {{"max_slot_wal_keep_size", "-1"}};
    Pair pair(options);
    pair.on_both("create table t (id bigint primary key, n int, body text)");
    pair.on_source("create sequence numbers");
    REQUIRE(pair.begin());
    pair.daemon.terminate();
    write_backlog(pair);
    const auto begun = std::chrono::steady_clock::now();
    pair.daemon.start("apply.before_commit=kill@20");
    CHECK(pair.daemon.wait_for_death() == 128 + SIGKILL);
    CHECK(pair.count(pair.target.dsn, "t") < pair.count(pair.source.dsn, "t"));
    pair.daemon.start();
    REQUIRE(pair.caught_up(std::chrono::seconds(120 + backlog_mb())));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    MESSAGE(backlog_mb(), " MB of backlog in ", seconds, " s");
    check_peak(pair, 128 + 64);
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.daemon.replctl({"verify"}).exit_code == 0);
  }

  TEST_CASE("a transaction larger than the memory arrives whole, at once, and through a kill") {
    PairOptions options;
    const bool standard = huge_mb() >= 1024;
    options.extra = standard ? "" : "[apply]\nmemory_mb = 16";
    options.source_settings = {{"max_slot_wal_keep_size", "-1"}};
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int, body text)");
    // Killed between two of its parts, of which there are more than a hundred.
    pair.daemon.start("apply.between_parts=kill@20");
    REQUIRE(pair.caught_up());
    const int64_t rows = huge_mb() * 1024 * 1024 / 1000;
    const int64_t allowed = (standard ? 128 : 16) + 64;
    Onlooker onlooker(pair);
    onlooker.expect(rows);
    auto before_death = std::make_unique<PeakWatch>(pair);
    pair.on_source(fmt::format(
        "begin; insert into t select i, 0, repeat(md5(i::text), 31) from generate_series(1, {}) i; "
        "update t set n = n + 1 where id % 100 = 0; commit",
        rows));
    CHECK(pair.daemon.wait_for_death() == 128 + SIGKILL);
    check_peak(before_death->peak(), allowed);
    before_death.reset();
    pair.daemon.start();
    REQUIRE(pair.caught_up(std::chrono::seconds(300 + huge_mb())));
    CHECK_FALSE(onlooker.saw_a_part());
    CHECK(pair.difference({"public.t"}) == "");
    MESSAGE(huge_mb(), " MB in one transaction");
    check_peak(pair, allowed);
  }

  TEST_CASE("unique values change places within and across the parts of one transaction") {
    PairOptions options;
    options.extra = "[apply]\nmemory_mb = 16";  // parts of 1 MB
    Pair pair(options);
    pair.on_both(
        "create table t (id int primary key, code text unique, place int, body text, "
        "unique (place) deferrable)");
    pair.on_source("insert into t select i, 'c' || i, i from generate_series(1, 20) i");
    REQUIRE(pair.begin());
    const auto two_parts = [](int from) {
      return fmt::format(
          "insert into t select i, 'f' || i, null, repeat(md5(i::text), 60) "
          "from generate_series({}, {}) i; ",
          from, from + 999);
    };
    pair.on_source(
        "begin; update t set code = 'x' where id = 1; update t set code = 'c1' where id = 2; "
        "update t set code = 'c2' where id = 1; " +
        two_parts(1000) + "update t set code = 'y' where id = 3; delete from t where id = 5; " +
        two_parts(2000) + "update t set code = 'c3' where id = 4; " + two_parts(3000) +
        "update t set code = 'c4' where id = 3; insert into t values (100, 'c5', 5); "
        "update t set place = 21 - place where id <= 100; " +
        two_parts(4000) +
        "update t set place = 21 - place where id <= 100; update t set id = -id; commit");
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.t"}) == "");
    CHECK(pair.daemon.replctl({"events"}).out.find("drift") == std::string::npos);
  }

  TEST_CASE("a value of 100 MB arrives, and an update that leaves it alone") {
    PairOptions options;
    options.extra = "[apply]\nmemory_mb = 16";
    Pair pair(options);
    pair.on_both("create table t (id int primary key, n int, body text)");
    REQUIRE(pair.begin());
    pair.on_source("insert into t values (1, 1, repeat('0123456789', 10 * 1000 * 1000))");
    pair.on_source("insert into t values (2, 2, 'small')");
    REQUIRE(pair.caught_up(120s));
    check_peak(pair, 16 + 64 + 4 * 100);
    pair.on_source("update t set n = 5 where id = 1");
    pair.on_source("update t set body = body || 'x' where id = 1");
    REQUIRE(pair.caught_up(120s));
    CHECK(pair.difference({"public.t"}) == "");
    check_peak(pair, 16 + 64 + 4 * 100);
  }
}
