#include "link/outsiders.h"

namespace repld::link {

void Outsiders::add(const TableName& table) {
  tables_.with([&](std::set<TableName>& tables) { tables.insert(table); });
}

void Outsiders::remove(const TableName& table) {
  tables_.with([&](std::set<TableName>& tables) { tables.erase(table); });
}

void Outsiders::filter(TransactionPart& part, const std::function<void()>& forget) {
  if (look_anew_.exchange(false)) {
    roots_.clear();
    forget();
  }
  if (tables_.with([](const std::set<TableName>& tables) { return tables.empty(); })) {
    return;
  }
  const std::set<TableName> tables = tables_.copy();
  leave_out(part, [&](const RelationPtr& relation) {
    auto found = roots_.find(relation->oid);
    if (found == roots_.end()) {
      found = roots_.emplace(relation->oid, root_of_(*relation)).first;
    }
    return tables.count(found->second) > 0;
  });
}

}  // namespace repld::link
