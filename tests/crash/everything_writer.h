// One session that draws from all kinds of changes and ends its transactions in all ways there
// are: COMMIT, ROLLBACK, PREPARE with one of both later, and with savepoints in between.
#pragma once

#include <atomic>
#include <chrono>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "operation.h"
#include "worker.h"

namespace repld::testing {

// Names that the writer counts besides those of the changes.
inline constexpr const char* kSavepointUndone = "savepoint: undone, the transaction goes on";
inline constexpr const char* kSavepointReleased = "savepoint: released";
inline constexpr const char* kPreparedCommitted = "two-phase: prepared, later committed";
inline constexpr const char* kPreparedRolledBack = "two-phase: prepared, later rolled back";

class EverythingWriter {
 public:
  // `name` makes its prepared transactions its own.
  EverythingWriter(std::string dsn, std::vector<demo::Operation> changes, std::string name,
                   uint64_t seed);

  // Until `stop`, through lost connections and refusals. What it prepared may be left open.
  demo::WorkerCounts run(const std::atomic<bool>& stop);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Ending { commit, rollback, prepare };
  struct Prepared {
    std::string id;
    Clock::time_point due;
    bool commit;
    std::vector<const char*> done;
  };

  void write_until_lost(const std::atomic<bool>& stop);
  void write_transaction(pqxx::nontransaction& session);
  void change(pqxx::nontransaction& session, std::vector<const char*>& done);
  void prepare(pqxx::nontransaction& session, std::vector<const char*> done);
  void end_prepared(pqxx::nontransaction& session);
  void count_refusal(const std::string& sqlstate, const char* what);
  const demo::Operation& next_change();
  void committed(const std::vector<const char*>& done);

  const std::string dsn_;
  const std::vector<demo::Operation> changes_;
  const std::string name_;
  demo::Dice dice_;
  std::vector<const demo::Operation*> deck_;  // so that each kind has its turn before long
  std::vector<Prepared> prepared_;
  int prepared_count_ = 0;
  demo::WorkerCounts counts_;
};

// Ends what writers have left prepared in this database. Waits for the server.
void end_all_prepared(const std::string& dsn);

}  // namespace repld::testing
