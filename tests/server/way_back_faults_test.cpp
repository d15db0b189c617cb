// Both directions at work while processes are killed and servers restart.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "way_back.h"

using namespace repld::testing;

namespace {

constexpr const char* kGroups =
    "[[groups]]\nname = \"moving\"\ntables = [\"public.m\"]\n[apply]\nmemory_mb = 16\n";

// Writes until stopped, each acknowledged row once, whatever becomes of the server.
class Writer {
 public:
  Writer(std::string dsn, std::string table)
      : thread_([this, dsn = std::move(dsn), table = std::move(table)](
                    const std::stop_token& stop) { run(stop, dsn, table); }) {}

  int64_t written() const { return written_; }

 private:
  void run(const std::stop_token& stop, const std::string& dsn, const std::string& table) {
    while (!stop.stop_requested()) {
      try {
        pqxx::connection connection(dsn);
        while (!stop.stop_requested()) {
          write(connection, "public." + table);
        }
      } catch (const pqxx::failure&) {
        std::this_thread::sleep_for(50ms);  // the server is away
      }
    }
  }

  // Some of them large enough to leave in parts.
  void write(pqxx::connection& connection, const std::string& table) {
    const int64_t id = next_++;
    const int rows = id % 40 == 0 ? 4000 : 3;
    pqxx::work transaction(connection);
    transaction.exec("insert into " + table + " select " + std::to_string(id) +
                     " * 10000 + i, repeat(md5(i::text), 20) from generate_series(1, " +
                     std::to_string(rows) + ") i");
    transaction.exec("update " + table +
                     " set v = 'x' where id = " + std::to_string((id - 1) * 10000 + 1));
    transaction.exec("delete from " + table +
                     " where id = " + std::to_string((id - 2) * 10000 + 2));
    transaction.commit();
    ++written_;
  }

  int64_t next_ = 1;
  std::atomic<int64_t> written_{0};
  std::jthread thread_;
};

}  // namespace

TEST_SUITE("way_back_faults") {
  TEST_CASE("kill -9 and restarts of either server lose and invent nothing in either direction") {
    Pair pair(both_decode(kGroups));
    pair.on_both(
        "create table m (id bigint primary key, v text); "
        "create table t (id bigint primary key, v text)");
    REQUIRE(pair.begin());
    REQUIRE(pair.daemon.replctl({"arm"}).exit_code == 0);
    move_to_target(pair, {"moving", {"m"}, 1});
    {
      const Writer home(pair.source.dsn, "t");
      const Writer away(pair.target.dsn, "m");
      auto progressed = [&, from_home = int64_t{0}, from_away = int64_t{0}]() mutable {
        const bool grown = eventually(30s, [&] {
          return home.written() > from_home + 20 && away.written() > from_away + 20;
        });
        from_home = home.written();
        from_away = away.written();
        return grown;
      };
      REQUIRE(progressed());
      for (int round = 0; round < 3; ++round) {
        pair.daemon.kill9();
        REQUIRE(progressed());
        pair.daemon.start();
        REQUIRE(progressed());
      }
      pair.target.cluster->restart(StopMode::immediate);
      REQUIRE(progressed());
      pair.source.cluster->restart(StopMode::immediate);
      REQUIRE(progressed());
    }
    REQUIRE(streams_back(pair));
    REQUIRE(pair.caught_up());
    CHECK(pair.difference({"public.m", "public.t"}) == "");
    CHECK(pair.count(pair.source.dsn, "m") > 0);
    CHECK(way_back(pair)["rogue_changes"] == 0);
    CHECK(pair.link()["rogue_changes"] == 0);
    const Outcome verified = pair.daemon.replctl({"verify"});
    CHECK_MESSAGE(verified.exit_code == 0, verified.out);
  }
}
