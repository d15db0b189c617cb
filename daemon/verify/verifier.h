// Proves the tables of a link equal, now and then and on demand: takes a fence, compares table by
// table under its snapshots while replication goes on, keeps what came of it.
//
// A snapshot is held for a minute or one table; then the rest goes on at another fence. A table
// that was rewritten under the snapshot, or whose application waits for us with DDL, is looked at
// again, a few times, and is unproven after that. What nobody asked for takes at most a third of
// the time; of that tables whose proof has been overtaken come first.
//
// Everything runs on one thread. One comparison at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/proof.h"
#include "core/status.h"
#include "core/verify_table.h"
#include "link/link.h"
#include "verify/compare.h"
#include "verify/repair.h"
#include "verify/sequences.h"

namespace repld::verify {

enum class Task {
  verify,
  rehearse,  // a repair: what it would do
  repair,
};

struct ProofReport {
  std::vector<TableProof> tables;       // after all was mended
  std::vector<ComparedTable> compared;  // parallel to tables
  std::vector<MendedTable> mended;
  std::vector<SequenceGap> sequences;  // of those tables
  std::vector<std::string> unknown;    // asked for, and no table of the link
  std::optional<ErrorStatus> failure;  // what kept the rest from being compared
  int fences = 0;
  int retakes = 0;
  double pause_seconds_max = 0;  // of the applier
};

class Verifier {
 public:
  using Reply = std::function<void(const ProofReport& report)>;

  // Borrows the link. `every_ms`: 0: only on demand.
  Verifier(link::Link& link, int64_t every_ms) : link_(link), every_ms_(every_ms) {}
  ~Verifier() { stop(); }

  void start();
  void stop();

  // Any thread. `tables`: as schema.table; empty: all. `reply` is called once, on another thread,
  // unless the verifier is stopped before.
  void ask(Task task, std::vector<std::string> tables, Reply reply);
  void repeat_every(int64_t every_ms);
  // Any thread: proofs in the link's status hold no longer. Their tables are looked at soon, unless
  // only on demand.
  void look_again();

 private:
  struct Request {
    Task task = Task::verify;
    std::vector<std::string> tables;
    Reply reply;
  };

  std::optional<Request> next(const std::stop_token& stop);
  std::vector<std::string> overtaken() const;
  void run(const std::stop_token& stop);
  ProofReport serve(const Request& request, const std::stop_token& stop);
  void prove(const std::vector<std::string>& asked, const CompareOptions& options,
             ProofReport& report, const std::stop_token& stop);
  // Of one look at all tables, by oid.
  struct Course {
    std::set<uint32_t> done;
    std::map<uint32_t, int> tries;
  };
  bool prove_at_fence(const std::vector<std::string>& asked, const CompareOptions& options,
                      Course& course, ProofReport& report, const std::stop_token& stop);
  void mend(ProofReport& report, const std::stop_token& stop);
  void look_at_sequences(ProofReport& report);
  void tell(const ProofReport& report);

  link::Link& link_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int64_t every_ms_;              // guarded by mutex_
  std::deque<Request> requests_;  // guarded by mutex_
  bool look_again_ = false;       // guarded by mutex_
  // Of the thread: when the next round may begin, and when one of overtaken proofs.
  std::chrono::steady_clock::time_point rested_;
  std::chrono::steady_clock::time_point may_look_;
  std::string last_failure_;  // told once, not at every try
  std::jthread thread_;
};

}  // namespace repld::verify
