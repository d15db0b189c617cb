// Commits of the source that wait for a synchronous standby which is not there: in the WAL, and
// streamed, while no snapshot shows them.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <thread>

#include "support/pair.h"

namespace repld::testing {

inline void wait_for_standby(const Pair& pair, bool on) {
  pair.source.cluster->set({{"synchronous_standby_names", on ? "away" : ""}});
}

// One transaction whose COMMIT hangs until nobody asks for a standby any more, at the latest with
// the object.
class HangingCommit {
 public:
  HangingCommit(const Pair& pair, const std::string& sql) : pair_(pair) {
    wait_for_standby(pair, true);
    thread_ = std::jthread([&pair, sql] { pair.on_source(sql); });
  }
  ~HangingCommit() { wait_for_standby(pair_, false); }
  HangingCommit(const HangingCommit&) = delete;
  HangingCommit& operator=(const HangingCommit&) = delete;

  // Of the transaction, once it hangs; empty when it does not.
  std::string xid() const {
    std::string found;
    eventually(30s, [&] {
      const auto rows =
          Pair::run_sql(pair_.source.superuser_dsn,
                        "select backend_xid from pg_stat_activity where wait_event = 'SyncRep'");
      found = rows.empty() ? "" : rows[0][0].c_str();
      return !found.empty();
    });
    return found;
  }

 private:
  const Pair& pair_;
  std::jthread thread_;
};

}  // namespace repld::testing
