// Partitions that the source made while the link runs.
//
// The source streams a new leaf from its first row on (stream/publication). Here the target gets
// the same leaf with the same bounds before that row is applied, guarded like the rest.
#pragma once

#include "apply/surroundings.h"
#include "core/config.h"
#include "core/relation.h"
#include "pg/session.h"

namespace repld::link {

class Partitions {
 public:
  // Borrows both sessions and the surroundings.
  Partitions(pg::Session& source, pg::Session& target, apply::Surroundings& surroundings,
             const Config& config)
      : source_(source), target_(target), surroundings_(surroundings), config_(config) {}

  // Called when the first change of `relation`, a partition below `root`, arrives. Does nothing
  // when the target has it, or partitions the table in another way. Throws Error(schema) when it
  // is missing and may not be created.
  void ensure(const Relation& relation, const TableName& root);

 private:
  void create(const Relation& relation, const TableName& root);

  pg::Session& source_;
  pg::Session& target_;
  apply::Surroundings& surroundings_;
  const Config& config_;
};

}  // namespace repld::link
