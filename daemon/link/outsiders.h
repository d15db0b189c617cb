// Tables that the publication gives and the link does not replicate yet, or any more: those that
// join or leave it while it streams (link/joining). Their changes are left out, transaction by
// transaction, so that a table comes in exactly at a fence.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <set>

#include "base/synchronized.h"
#include "core/table.h"
#include "core/transaction.h"

namespace repld::link {

class Outsiders {
 public:
  // The table that a relation of the stream belongs to. Called on the applier's thread.
  using RootOf = std::function<TableName(const Relation& relation)>;

  explicit Outsiders(RootOf root_of) : root_of_(std::move(root_of)) {}

  // Any thread. A transaction that the applier takes after the call is treated accordingly.
  void add(const TableName& table);
  void remove(const TableName& table);

  // What is known of relations holds no longer: a partition has become a table that joins.
  void look_anew() { look_anew_ = true; }

  // The applier's thread. Calls `forget` first where what is known of relations holds no longer.
  void filter(TransactionPart& part, const std::function<void()>& forget);

 private:
  const RootOf root_of_;
  Synchronized<std::set<TableName>> tables_;
  std::atomic<bool> look_anew_{false};
  std::map<uint32_t, TableName> roots_;  // by oid; of the applier's thread
};

}  // namespace repld::link
