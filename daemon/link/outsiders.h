// Tables that the publication gives and the link does not replicate yet, or any more: those that
// join or leave it while it streams (link/joining). Their changes are left out, transaction by
// transaction, so that a table comes in exactly at a fence.
#pragma once

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

  // The applier's thread.
  void filter(TransactionPart& part);

 private:
  const RootOf root_of_;
  Synchronized<std::set<TableName>> tables_;
  std::map<uint32_t, TableName> roots_;  // by oid; of the applier's thread
};

}  // namespace repld::link
