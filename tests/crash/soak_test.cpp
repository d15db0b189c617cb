// Databases are written to, one of them with everything that PostgreSQL can stream, while their
// daemons are killed and both servers restart; at the end each copy must equal its source row by
// row without a row ever mended, and no reader of a copy may ever have seen half a transaction.
//
// REPLD_SOAK_SECONDS: length, 120 by default. REPLD_SOAK_SEED: seed of the writers and of the
// plan of kills; printed, so that a failure can be run again.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <pqxx/pqxx>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "everything.h"
#include "snapshot_reader.h"
#include "support/compare.h"
#include "support/daemon.h"
#include "support/eventually.h"
#include "support/platforms.h"
#include "support/sample_databases.h"
#include "writing.h"

namespace repld::testing {
namespace {

using namespace std::chrono_literals;
using demo::Operation;
using demo::WorkerCounts;

// At least these kills, and a restart of either server in every one of these stretches.
constexpr int64_t kKillsMin = 20;
constexpr std::chrono::milliseconds kPerKillMax = 6s;
constexpr std::chrono::milliseconds kPerRestart = 2min;
constexpr int kWritersPerDatabase = 4;
constexpr double kTransactionsPerSecond = 100;  // per database

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// What is done to the daemons and servers, and when. Drawn beforehand from the seed alone.
struct Blow {
  enum class Kind { kill_daemon, restart_source, restart_target };
  std::chrono::milliseconds at;
  Kind kind;
  int daemon;  // of kill_daemon; taken modulo their number
};

int64_t kills_due(std::chrono::milliseconds length) {
  return std::max<int64_t>(kKillsMin, length / kPerKillMax);
}

std::vector<Blow> plan_blows(uint64_t seed, std::chrono::milliseconds length) {
  std::mt19937_64 engine(seed);
  const auto between = [&](int64_t low, int64_t high) {
    return std::chrono::milliseconds(std::uniform_int_distribution<int64_t>(low, high)(engine));
  };
  const int64_t ms = length.count();
  const int64_t kills = std::max<int64_t>(kKillsMin + 2, ms / 4000);
  std::vector<Blow> plan;
  for (int64_t i = 0; i < kills; i++) {
    plan.push_back({between(0, ms), Blow::Kind::kill_daemon, static_cast<int>(engine() % 60)});
  }
  const int64_t stretches = std::max<int64_t>(1, length / kPerRestart);
  const int64_t stretch = ms / stretches;
  for (int64_t i = 0; i < stretches; i++) {
    const auto in_tenths = [&](int64_t from) {
      return between(i * stretch + stretch * from / 10, i * stretch + stretch * (from + 1) / 10);
    };
    plan.push_back({in_tenths(3), Blow::Kind::restart_source, 0});
    plan.push_back({in_tenths(6), Blow::Kind::restart_target, 0});
  }
  std::sort(plan.begin(), plan.end(), [](const Blow& a, const Blow& b) { return a.at < b.at; });
  return plan;
}

// The writers of a sample database, in threads of this process.
class Writers : public Writing {
 public:
  Writers(const std::string& dsn, const std::vector<Operation>& operations, uint64_t seed) {
    for (int i = 0; i < kWritersPerDatabase; i++) {
      demo::WorkerSettings settings;
      settings.dsn = dsn;
      settings.operations = operations;
      settings.rate = kTransactionsPerSecond / kWritersPerDatabase;
      settings.rollback_percent = 2;
      settings.seed = seed * 1000 + static_cast<uint64_t>(i);
      threads_.push_back(std::async(
          std::launch::async, [this, settings] { return demo::run_worker(settings, stop_); }));
    }
  }

  WorkerCounts stop() override {
    stop_ = true;
    WorkerCounts total;
    for (auto& thread : threads_) total.add(thread.get());
    threads_.clear();
    return total;
  }

  ~Writers() override { stop_ = true; }  // the futures wait

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::future<WorkerCounts>> threads_;
};

// An owner's DSN for a new database beside the one `dsn` leads to; the last dbname counts.
std::string make_database(const std::string& dsn, const std::string& name) {
  pqxx::connection connection(dsn);
  pqxx::nontransaction(connection).exec("create database " + name);
  return dsn + " dbname=" + name;
}

std::vector<std::string> tables_of(const std::string& dsn) {
  pqxx::connection connection(dsn);
  pqxx::nontransaction session(connection);
  std::vector<std::string> tables;
  for (const auto& row : session.exec("select oid::regclass from pg_class"
                                      " where relnamespace = 'public'::regnamespace"
                                      " and relkind in ('r', 'p') and not relispartition"
                                      " order by relname")) {
    tables.push_back("public." + row[0].as<std::string>());
  }
  REQUIRE(!tables.empty());
  return tables;
}

// One database on both sides, its link, its writers and its reader.
struct Lane {
  std::string name;
  std::string source_dsn;
  std::string target_dsn;
  std::unique_ptr<Daemon> daemon;
  std::function<std::unique_ptr<Writing>(bool beside_a_copy, uint64_t seed)> write;
  std::vector<std::string> kinds;  // of what is written, that each must have been
  std::unique_ptr<Writing> writers;
  std::unique_ptr<SnapshotReader> reader;
};

// A daemon that has just started does not answer yet: asks again.
bool reaches(const Daemon& daemon, const std::string& goal, std::chrono::seconds timeout) {
  return eventually(timeout, [&] { return daemon.wait_for(goal, 5s); });
}

class Soak {
 public:
  Soak(int source_version, uint64_t seed)
      : seed_(seed),
        // How far the copy lags is this machine's affair, not what is tried here.
        source_(supabase_like(source_version, {{"max_slot_wal_keep_size", "-1"},
                                               {"max_prepared_transactions", "30"}})),
        target_(timeweb_like(timeweb_variant())) {}

  void add_salon() {
    Lane& lane = add_lane("salon");
    load_salon(lane.source_dsn, Load::tables_and_rows);
    load_salon(lane.target_dsn, Load::tables);
    draw_from(lane, demo::salon_operations());
    start(lane);
  }

  void add_pagila(const std::string& directory) {
    Lane& lane = add_lane("pagila");
    load_pagila(directory, lane.source_dsn, Load::tables_and_rows);
    load_pagila(directory, lane.target_dsn, Load::tables);
    draw_from(lane, demo::pagila_operations());
    start(lane);
  }

  void add_everything() {
    Lane& lane = add_lane("everything", kEverythingApply);
    load_everything(lane.source_dsn, Load::tables_and_rows);
    load_everything(lane.target_dsn, Load::tables);
    lane.write = [&lane](bool beside_a_copy, uint64_t seed) {
      return std::make_unique<Everything>(lane.source_dsn, lane.target_dsn, beside_a_copy, seed);
    };
    lane.kinds = kinds_of_everything();
    start(lane);
  }

  void run(const std::vector<Blow>& plan, std::chrono::seconds length) {
    length_ = length;
    patience_ = std::max<std::chrono::seconds>(180s, length);
    for (Lane& lane : lanes_) {
      REQUIRE_MESSAGE(reaches(*lane.daemon, "copied", 120s), lane.daemon->log_text());
      const WorkerCounts gentle = lane.writers->stop();
      CHECK(gentle.unexpected == 0);
      CHECK(gentle.committed > 0);
      lane.writers = lane.write(false, seed_ + 1);
      lane.reader = std::make_unique<SnapshotReader>(lane.target_dsn);
    }
    const auto began = std::chrono::steady_clock::now();
    for (const Blow& blow : plan) {
      std::this_thread::sleep_until(began + blow.at);
      strike(blow);
    }
    std::this_thread::sleep_until(began + length);
  }

  void finish() {
    for (Lane& lane : lanes_) {
      INFO("database ", lane.name);
      const WorkerCounts counts = lane.writers->stop();
      CHECK_MESSAGE(counts.unexpected == 0, lane.daemon->log_text());
      CHECK(counts.committed > 0);
      MESSAGE(lane.name, ": ", counts.committed, " transactions, ", counts.rolled_back,
              " rolled back, ", counts.conflicts, " conflicts");
      check_kinds(lane, counts);
    }
    for (Lane& lane : lanes_) check(lane);
    CHECK(kills_ >= kills_due(length_));
    MESSAGE(kills_, " kills");
  }

 private:
  Lane& add_lane(const std::string& name, const std::string& extra = "") {
    Lane& lane = lanes_.emplace_back();
    lane.name = name;
    lane.source_dsn = make_database(source_.dsn, name);
    lane.target_dsn = make_database(target_.dsn, name);
    lane.daemon = std::make_unique<Daemon>(lane.source_dsn, lane.target_dsn, "soak_" + name, extra);
    return lane;
  }

  static void draw_from(Lane& lane, const std::vector<Operation>& operations) {
    lane.write = [&lane, operations](bool beside_a_copy, uint64_t seed) {
      std::vector<Operation> drawn = operations;
      if (beside_a_copy) {
        std::erase_if(drawn, [](const Operation& operation) { return operation.extreme; });
      }
      return std::make_unique<Writers>(lane.source_dsn, drawn, seed);
    };
  }

  // The writers begin first, so that the first copy runs beside them; without what starts a copy
  // over every time, such as TRUNCATE, which they get to when everything is copied.
  void start(Lane& lane) {
    lane.writers = lane.write(true, seed_);
    lane.daemon->start();
  }

  void strike(const Blow& blow) {
    switch (blow.kind) {
      case Blow::Kind::kill_daemon: {
        Daemon& daemon = *std::next(lanes_.begin(), blow.daemon % std::ssize(lanes_))->daemon;
        REQUIRE_MESSAGE(daemon.running(), daemon.log_text());
        daemon.kill9();
        daemon.start();
        kills_++;
        return;
      }
      case Blow::Kind::restart_source: source_.cluster->restart(StopMode::fast); return;
      case Blow::Kind::restart_target:  // as in a crash: what is not flushed is gone
        target_.cluster->restart(StopMode::immediate);
        return;
    }
  }

  // A kind that never happens would be a test that cannot fail.
  static void check_kinds(const Lane& lane, const WorkerCounts& counts) {
    std::string text;
    for (const auto& [kind, count] : counts.operations) {
      text += "\n  " + std::to_string(count) + "  " + kind;
    }
    if (!lane.kinds.empty()) MESSAGE(lane.name, ", times that each kind was committed:", text);
    for (const std::string& kind : lane.kinds) {
      const auto found = counts.operations.find(kind);
      CHECK_MESSAGE((found != counts.operations.end() && found->second > 0), "never: ", kind);
    }
  }

  void check(Lane& lane) {
    INFO("database ", lane.name);
    const auto began = std::chrono::steady_clock::now();
    REQUIRE_MESSAGE(reaches(*lane.daemon, "caught-up", patience_), lane.daemon->log_text());
    const auto took = std::chrono::steady_clock::now() - began;
    lane.reader->stop();
    MESSAGE(lane.name, ": ", lane.reader->samples(), " snapshots read, caught up after ",
            std::chrono::duration_cast<std::chrono::seconds>(took).count(), " s");
    CHECK(lane.reader->samples() >= 100);
    CHECK(lane.reader->violations() == 0);
    for (const std::string& difference :
         compare_databases(lane.source_dsn, lane.target_dsn, tables_of(lane.source_dsn))) {
      FAIL_CHECK(difference);
    }
    // Nobody but the daemon wrote to the target. The log is that of all its lives.
    const std::string log = lane.daemon->log_text();
    const size_t drift = log.find(": drift: ");
    if (drift != std::string::npos) FAIL_CHECK(log.substr(drift, log.find('\n', drift) - drift));
  }

  const uint64_t seed_;
  Platform source_;
  Platform target_;
  std::list<Lane> lanes_;  // a list: lanes are referred to while others are added
  int64_t kills_ = 0;
  std::chrono::seconds length_{};
  std::chrono::seconds patience_{};  // to catch up in the end
};

void soak(int source_version) {
  const uint64_t seed = number_from("REPLD_SOAK_SEED", std::random_device{}());
  const std::chrono::seconds length(number_from("REPLD_SOAK_SECONDS", 120));
  MESSAGE("seed ", seed, ", ", length.count(), " s");
  INFO("REPLD_SOAK_SEED=", seed);

  Soak soak(source_version, seed);
  soak.add_salon();
  soak.add_everything();
  if (const auto pagila = pagila_directory()) {
    soak.add_pagila(*pagila);
  } else {
    MESSAGE("SKIPPED: the Pagila half, its dump is not there; set REPLD_TEST_DATA");
  }
  soak.run(plan_blows(seed, length), length);
  soak.finish();
}

}  // namespace
}  // namespace repld::testing

TEST_SUITE("soak_15_to_18") {
  TEST_CASE("a copy from 15 to 18 stays exact through kills and restarts under load") {
    repld::testing::soak(15);
  }
}

TEST_SUITE("soak_17_to_18") {
  TEST_CASE("a copy from 17 to 18 stays exact through kills and restarts under load") {
    repld::testing::soak(17);
  }
}
