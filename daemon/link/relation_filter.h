// Which relations of the stream are applied, when the publications are not ours: they may give
// tables that the configuration leaves out.
//
// Those known when the session begins are told by their oid. One that appears later (a partition,
// a new table) is looked up once, in sessions of its own: the reader's thread has none.
//
// Not thread-safe; used by the reader's thread.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "core/relation.h"
#include "core/supply.h"
#include "link/shared.h"

namespace repld::link {

class RelationFilter {
 public:
  // `adopted`: the tables of the link. `now`: what the publications give at this moment.
  RelationFilter(const Settings& settings, const std::vector<TableSupply>& adopted,
                 const std::vector<TableSupply>& now);

  // `xid`: of the source transaction that changes it.
  // Throws Error(schema) for a table that the configuration wants, but that was never copied;
  // Error(connect) for one that the source does not show yet: a commit may stream before any
  // snapshot shows it, for as long as a synchronous standby takes.
  bool wants(const Relation& relation, uint32_t xid);

 private:
  bool look_up(const Relation& relation, uint32_t xid) const;

  const Settings settings_;
  std::set<TableName> tables_;      // of the link
  std::map<uint32_t, bool> known_;  // by oid
};

}  // namespace repld::link
