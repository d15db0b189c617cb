// Reads the two account tables of a copy in one snapshot after the other and checks their sum.
// The two reads lie some milliseconds apart, so a copy that shows half a transaction is caught.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <pqxx/pqxx>
#include <string>
#include <thread>
#include <utility>

#include "support/sample_databases.h"

namespace repld::testing {

class SnapshotReader {
 public:
  explicit SnapshotReader(std::string dsn)
      : dsn_(std::move(dsn)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  int64_t samples() const { return samples_; }
  int64_t violations() const { return violations_; }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      try {
        pqxx::connection connection(dsn_);
        while (!stop.stop_requested()) read(connection);
      } catch (const pqxx::failure&) {
        // The server restarts; the next snapshot counts as well.
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
      }
    }
  }

  void read(pqxx::connection& connection) {
    pqxx::nontransaction session(connection);
    session.exec("begin isolation level repeatable read read only");
    const auto cash = session.exec("select sum(amount) from cash_accounts");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto card = session.exec("select sum(amount) from card_accounts");
    session.exec("commit");
    samples_++;
    if (cash[0][0].as<int64_t>(0) + card[0][0].as<int64_t>(0) != kAccountsSum) violations_++;
  }

  const std::string dsn_;
  std::atomic<int64_t> samples_{0};
  std::atomic<int64_t> violations_{0};
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace repld::testing
