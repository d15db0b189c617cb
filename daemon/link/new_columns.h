// Columns that the source has and the target lacks, where the operator lets us add them.
//
// The rows that the target has already must get what the source's have, and ADD COLUMN streams none
// of them. PostgreSQL keeps a constant default beside them (pg_attribute.attmissingval), so that
// it is known whatever has become of the default since. Where it is not known, or the column may
// be one that was renamed, nothing is added: the link pauses as with on_new_column = "pause".
//
// That value stays the column's default on the target: rows from before the ALTER may be applied
// after it (the same batch, or one that is replayed), and must get it too. What the source's
// default is by now is for the schema comparison, like NOT NULL and checks.
//
// A crash after some of them: these are found there, the others are added when the relation is
// mapped again.
#pragma once

#include <functional>
#include <string>

#include "core/config.h"
#include "core/relation.h"
#include "core/table.h"
#include "link/event_log.h"
#include "pg/session.h"

namespace repld::link {

class NewColumns {
 public:
  // Borrows all of them.
  NewColumns(pg::Session& source, pg::Session& target, EventLog& events, const Config& config)
      : source_(source), target_(target), events_(events), config_(config) {}

  // Adds what `relation` has and `table` (its root there) lacks, each column in a transaction of
  // its own, without its NOT NULL, which changes in the stream may not meet yet. Returns whether it
  // added any. Calls `before_ddl` before it waits for a lock. Throws Error when the target refuses.
  bool add(const Relation& relation, const TargetTable& table,
           const std::function<void()>& before_ddl);

 private:
  void add(const std::string& column, const pqxx::row& how, const TableName& table,
           const std::function<void()>& before_ddl);

  pg::Session& source_;
  pg::Session& target_;
  EventLog& events_;
  const Config& config_;
};

}  // namespace repld::link
