#include "link/outsiders.h"

#include <algorithm>

namespace repld::link {

void Outsiders::add(const TableName& table) {
  tables_.with([&](std::set<TableName>& tables) { tables.insert(table); });
}

void Outsiders::remove(const TableName& table) {
  tables_.with([&](std::set<TableName>& tables) { tables.erase(table); });
}

void Outsiders::filter(TransactionPart& part) {
  if (tables_.with([](const std::set<TableName>& tables) { return tables.empty(); })) {
    return;
  }
  const std::set<TableName> tables = tables_.copy();
  const auto is_outside = [&](const RelationPtr& relation) {
    auto found = roots_.find(relation->oid);
    if (found == roots_.end()) {
      found = roots_.emplace(relation->oid, root_of_(*relation)).first;
    }
    return tables.count(found->second) > 0;
  };
  for (Truncate& truncate : part.truncates) {
    auto& relations = truncate.relations;
    relations.erase(std::remove_if(relations.begin(), relations.end(), is_outside),
                    relations.end());
  }
  const auto is_left_out = [&](const Change& change) {
    return change.kind == ChangeKind::truncate ? part.truncates[change.truncate].relations.empty()
                                               : is_outside(change.relation);
  };
  part.changes.erase(std::remove_if(part.changes.begin(), part.changes.end(), is_left_out),
                     part.changes.end());
}

}  // namespace repld::link
