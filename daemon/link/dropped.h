// Changes of relations that are gone: the source has dropped them since, and the target has no
// table of that name (a partition that lived shorter than the link was behind, say). No row of
// theirs is left on either side, so they are left out and told.
//
// What goes on before the DROP is applied shows in no comparison: a relation that was dropped
// after the snapshot cannot be read in it any more, so that its table is unproven, not equal.
#pragma once

#include <functional>
#include <map>

#include "core/relation.h"
#include "core/transaction.h"

namespace repld::link {

class Dropped {
 public:
  // Asked once a relation. Both functions are called on the applier's thread.
  using IsGone = std::function<bool(const Relation& relation)>;
  using Tell = std::function<void(const Relation& relation)>;

  Dropped(IsGone is_gone, Tell tell) : is_gone_(std::move(is_gone)), tell_(std::move(tell)) {}

  void filter(TransactionPart& part);

 private:
  bool is_gone(const Relation& relation);

  const IsGone is_gone_;
  const Tell tell_;
  std::map<uint32_t, bool> known_;  // by oid
};

}  // namespace repld::link
