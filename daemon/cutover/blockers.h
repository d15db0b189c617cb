// Who stands in the way of a lock on the tables of a group.
#pragma once

#include <string>
#include <vector>

#include "core/table.h"
#include "pg/session.h"

namespace repld::cutover {

enum class Lock { quiet, freeze };  // SHARE UPDATE EXCLUSIVE, EXCLUSIVE

struct Blocker {
  int pid = 0;  // 0: a prepared transaction
  std::string gid;
  TableName table;
  std::string mode;
  std::string kind;     // of backend; empty: not known to us
  std::string state;    // "active", "idle in transaction"; empty: not known to us
  double seconds = -1;  // since its transaction began; negative: not known to us
  std::string transaction;

  std::string text() const;  // for people
  // Whether it is the same lock of the same transaction.
  bool is_same(const Blocker& other) const {
    return pid == other.pid && transaction == other.transaction && table == other.table &&
           mode == other.mode;
  }
};

// `except`: our own backend.
std::vector<Blocker> blockers_of(pg::Session& session, const std::vector<TableName>& tables,
                                 Lock lock, int except);

}  // namespace repld::cutover
