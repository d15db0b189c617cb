#include "link/skip.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace repld::link {

bool Skip::filter(TransactionPart& part) {
  if (transaction_ == Lsn::invalid || part.commit_lsn != transaction_) {
    return false;
  }
  changes_ += part.changes.size();
  for (const Change& change : part.changes) {
    if (change.relation) {
      relations_.emplace(change.relation->full_name(), change.relation);
    }
  }
  for (const Truncate& truncate : part.truncates) {
    for (const RelationPtr& relation : truncate.relations) {
      relations_.emplace(relation->full_name(), relation);
    }
  }
  part.changes.clear();
  part.truncates.clear();
  part.values.clear();
  part.arena.clear();
  if (part.last) {
    std::vector<std::string> names;
    std::vector<RelationPtr> relations;
    for (const auto& [name, relation] : relations_) {
      names.push_back(name);
      relations.push_back(relation);
    }
    left_out_(relations);
    events_.record(
        "skipped",
        fmt::format("source transaction {}, committed at {}, is left out by the "
                    "operator: {} changes to {}",
                    part.xid, to_string(part.commit_lsn), changes_, fmt::join(names, ", ")));
  }
  return part.last;
}

}  // namespace repld::link
