#include "link/skip.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace repld::link {

void Skip::filter(TransactionPart& part) {
  if (transaction_ == Lsn::invalid || part.commit_lsn != transaction_) {
    return;
  }
  changes_ += part.changes.size();
  for (const Change& change : part.changes) {
    if (change.relation) {
      tables_.insert(change.relation->full_name());
    }
  }
  for (const Truncate& truncate : part.truncates) {
    for (const RelationPtr& relation : truncate.relations) {
      tables_.insert(relation->full_name());
    }
  }
  part.changes.clear();
  part.truncates.clear();
  part.values.clear();
  part.arena.clear();
  if (part.last) {
    events_.record(
        "skipped",
        fmt::format("source transaction {}, committed at {}, is left out by the "
                    "operator: {} changes to {}",
                    part.xid, to_string(part.commit_lsn), changes_, fmt::join(tables_, ", ")));
  }
}

}  // namespace repld::link
