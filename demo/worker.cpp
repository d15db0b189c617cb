// The writing session's loop.
//
// A COMMIT whose answer is lost may or may not have happened. The writer does not care: what it
// leaves behind is only ever compared with a copy, never with its own memory.
#include "worker.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <pqxx/pqxx>
#include <string_view>
#include <thread>

namespace repld::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kAccounts = 50;
constexpr int kOperationsMax = 3;
constexpr auto kReconnectPause = std::chrono::milliseconds(100);

enum class Refusal { conflict, connection, unexpected };

Refusal classify(std::string_view sqlstate) {
  constexpr std::string_view kConflicts[] = {"55P03", "23503", "23505"};
  if (std::find(std::begin(kConflicts), std::end(kConflicts), sqlstate) != std::end(kConflicts)) {
    return Refusal::conflict;
  }
  // 57P01 to 57P03: the server goes down or comes up.
  if (sqlstate.starts_with("57P") || sqlstate.starts_with("08")) return Refusal::connection;
  return Refusal::unexpected;
}

// Both rows change in one transaction, or neither: their sum over the tables never moves.
std::string transfer(Dice& dice) {
  const std::string amount = std::to_string(dice.below(201) - 100);
  return "update cash_accounts set amount = amount - (" + amount +
         ") where id = " + std::to_string(1 + dice.below(kAccounts)) +
         "; update card_accounts set amount = amount + (" + amount +
         ") where id = " + std::to_string(1 + dice.below(kAccounts));
}

class Worker {
 public:
  Worker(const WorkerSettings& settings, const std::atomic<bool>& stop)
      : settings_(settings), stop_(stop), dice_(settings.seed) {}

  WorkerCounts run() {
    while (!stop_) {
      try {
        write_until_lost();
      } catch (const std::exception&) {
        counts_.lost++;
        std::this_thread::sleep_for(kReconnectPause);
      }
    }
    return counts_;
  }

 private:
  void write_until_lost() {
    pqxx::connection connection(settings_.dsn);
    const pqxx::quiet_errorhandler quiet(connection);
    pqxx::nontransaction(connection).exec("set client_min_messages = error");
    Clock::time_point due = Clock::now();
    while (!stop_) {
      try {
        write_transaction(connection);
      } catch (const pqxx::transaction_rollback&) {
        counts_.conflicts++;
      } catch (const pqxx::sql_error& error) {
        count_refusal(error);
      }
      if (settings_.rate > 0) due = pause_until(due);
    }
  }

  void write_transaction(pqxx::connection& connection) {
    pqxx::work transaction(connection);
    std::vector<const char*> done;
    for (int i = 1 + dice_.below(kOperationsMax); i > 0; i--) {
      const Operation& operation = draw(settings_.operations, dice_);
      transaction.exec(fill_in(operation.sql, dice_));
      done.push_back(operation.name);
    }
    transaction.exec(transfer(dice_));
    if (dice_.percent(settings_.rollback_percent)) {
      transaction.abort();
      counts_.rolled_back++;
      return;
    }
    transaction.commit();
    counts_.committed++;
    for (const char* name : done) counts_.operations[name]++;
  }

  void count_refusal(const pqxx::sql_error& error) {
    switch (classify(error.sqlstate())) {
      case Refusal::conflict: counts_.conflicts++; return;
      case Refusal::connection: throw;
      case Refusal::unexpected:
        counts_.unexpected++;
        std::fprintf(stderr, "salon_writer: %s: %s\n", error.sqlstate().c_str(), error.what());
        return;
    }
  }

  // Returns when the next transaction is due; a writer that fell behind does not catch up.
  Clock::time_point pause_until(Clock::time_point last) const {
    const auto interval = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1 / settings_.rate));
    const Clock::time_point due = std::max(last + interval, Clock::now() - interval);
    while (!stop_ && Clock::now() < due) {
      std::this_thread::sleep_for(
          std::min<Clock::duration>(due - Clock::now(), std::chrono::milliseconds(100)));
    }
    return due;
  }

  const WorkerSettings& settings_;
  const std::atomic<bool>& stop_;
  Dice dice_;
  WorkerCounts counts_;
};

}  // namespace

void WorkerCounts::add(const WorkerCounts& other) {
  committed += other.committed;
  rolled_back += other.rolled_back;
  conflicts += other.conflicts;
  lost += other.lost;
  unexpected += other.unexpected;
  for (const auto& [name, count] : other.operations) operations[name] += count;
}

WorkerCounts run_worker(const WorkerSettings& settings, const std::atomic<bool>& stop) {
  return Worker(settings, stop).run();
}

}  // namespace repld::demo
