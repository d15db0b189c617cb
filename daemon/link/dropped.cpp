#include "link/dropped.h"

namespace repld::link {

void Dropped::filter(TransactionPart& part) {
  leave_out(part, [this](const RelationPtr& relation) { return is_gone(*relation); });
}

bool Dropped::is_gone(const Relation& relation) {
  const auto found = known_.find(relation.oid);
  if (found != known_.end()) {
    return found->second;
  }
  const bool gone = is_gone_(relation);
  known_.emplace(relation.oid, gone);
  if (gone) {
    tell_(relation);
  }
  return gone;
}

}  // namespace repld::link
