// Proves the tables of a link equal, now and then and on demand: takes a fence, compares table by
// table under its snapshots while replication goes on, keeps what came of it.
//
// A snapshot is held for a while or one table; then the rest goes on at another fence. A table
// that was rewritten under the snapshot, or whose application waits for us with DDL, is looked at
// again, a few times, and is unproven after that. What nobody asked for rests after each look, so
// that it takes no more than its share of the time.
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
#include "core/verify_schedule.h"
#include "core/verify_table.h"
#include "link/link.h"
#include "verify/compare.h"
#include "verify/orphans.h"
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
  std::vector<Orphans> orphans;        // at either end of them
  std::string not_looked_around;       // why there may be more of both; empty: there are not
  std::vector<std::string> unknown;    // asked for, and no table of the link
  std::optional<ErrorStatus> failure;  // what kept the rest from being compared
  int fences = 0;
  int retakes = 0;
  double pause_seconds_max = 0;  // of the applier
};

class Verifier {
 public:
  using Reply = std::function<void(const ProofReport& report)>;

  // Borrows the link.
  Verifier(link::Link& link, const VerifyConfig& config) : link_(link), schedule_(config) {}
  ~Verifier() { stop(); }

  void start();
  void stop();

  // Any thread. `tables`: as schema.table; empty: all. `reply` is called once, on another thread
  // or, when too many wait, at once, unless the verifier is stopped before.
  void ask(Task task, std::vector<std::string> tables, Reply reply);
  void reload(const VerifyConfig& config);
  // Any thread: proofs in the link's status hold no longer. Their tables are looked at soon, unless
  // only on demand.
  void look_again();

 private:
  struct Request {
    Task task = Task::verify;
    std::vector<std::string> tables;  // empty: all
    Reply reply;                      // null: nobody asked for it
    bool by_clock = false;            // not only because proofs were overtaken
  };
  using Clock = std::chrono::steady_clock;
  // What nobody asked for rests so long after each look that it keeps to its share of the time.
  struct Rest {
    Clock::time_point ended;
    Clock::duration took{0};

    Clock::time_point until(int64_t time_percent) const;
  };

  std::optional<Request> next(const std::stop_token& stop);
  Clock::time_point look_for_due(Request& request);
  void note_look(const std::string& table, double began);
  void note_end(const Request& request, const ProofReport& report, Clock::time_point began);
  void run(const std::stop_token& stop);
  ProofReport serve(const Request& request, const std::stop_token& stop);
  void prove(const std::set<std::string>& asked, const CompareOptions& options, ProofReport& report,
             const std::stop_token& stop);
  // Of one look at all tables, by oid.
  struct Course {
    std::set<uint32_t> done;
    std::map<uint32_t, int> tries;
  };
  bool prove_at_fence(const std::set<std::string>& asked, const CompareOptions& options,
                      Course& course, ProofReport& report, const std::stop_token& stop);
  void mend(ProofReport& report, const std::stop_token& stop);
  void look_around(ProofReport& report, const std::stop_token& stop);
  void tell(const ProofReport& report);
  VerifyConfig config() const;

  link::Link& link_;
  mutable std::mutex mutex_;
  std::condition_variable_any stirred_;
  VerifySchedule schedule_;       // guarded by mutex_
  std::deque<Request> requests_;  // guarded by mutex_
  bool look_again_ = false;       // guarded by mutex_
  bool anything_new_ = false;     // guarded by mutex_
  // Of the thread: after looks by the clock, and after others of proofs that were overtaken.
  Rest round_;
  Rest overtaken_;
  Clock::time_point first_round_;
  std::string comparing_;            // the table, if any
  std::set<std::string> looked_at_;  // while a request is served
  std::string last_failure_;         // told once, not at every try
  std::jthread thread_;
};

}  // namespace repld::verify
