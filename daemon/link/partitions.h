// Partitions that the source made while the link runs.
//
// The source streams a new leaf from its first row on (stream/publication). Here the target gets
// the same leaf with the same bounds before that row is applied, guarded like the rest.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apply/surroundings.h"
#include "core/config.h"
#include "core/relation.h"
#include "core/supply.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::link {

class Partitions {
 public:
  // Borrows all of them. `divided_otherwise`: partitions of the source (oids) that have no like on
  // the target; it outlives the session, so that none is tried twice.
  Partitions(pg::Session& source, pg::Session& target, apply::Surroundings& surroundings,
             std::string guard_nonce, const Config& config, std::set<uint32_t>& divided_otherwise)
      : source_(source),
        target_(target),
        surroundings_(surroundings),
        guard_nonce_(std::move(guard_nonce)),
        config_(config),
        divided_otherwise_(divided_otherwise) {}

  // Called when the first change of `relation`, a partition below `root`, arrives. Does nothing
  // when the target has it, or partitions the table in another way. Makes what is missing above it,
  // too. Calls `before_ddl` before it waits for a lock. `source`: what that says of it; nothing: it
  // is gone. Throws Error(schema) when it is missing and may not be created, or its name is taken.
  void ensure(const Relation& relation, const TableName& root,
              const std::optional<RelationFacts>& source, const std::function<void()>& before_ddl);

  // For tables whose changes come under the root's name, so that no partition is ever heard of:
  // makes those that the target lacks. Returns how many. To be called while nothing is applied.
  int complete(const std::vector<TableSupply>& tables);
  // Of one table: `root` there, its leaves on the source.
  int complete(const TableName& root, const std::vector<SourceLeaf>& leaves);

 private:
  bool unguarded(const TableName& root);
  void protect(pqxx::transaction_base& transaction, const TableName& root);
  // Whether it was made.
  bool create(const Relation& relation, const TableName& root,
              const std::function<void()>& before_ddl);
  struct Statement {
    TableName makes;
    std::string sql;
  };
  // The topmost partition that the target lacks, and those below it down to the one that is wanted.
  struct Missing {
    TableName parent;
    std::string bounds;  // of the topmost
    std::vector<Statement> statements;
  };
  // Nothing when the target divides the table in another way, or the source has it no more.
  std::optional<Missing> missing(const Relation& relation, const TableName& root);
  // Whether rows that belong in what is missing can be stored on the target without it.
  bool have_place(const Missing& missing);
  // Its rows go where the target's own partitions put them.
  void leave_out(const Relation& relation);

  pg::Session& source_;
  pg::Session& target_;
  apply::Surroundings& surroundings_;
  const std::string guard_nonce_;
  const Config& config_;
  std::set<uint32_t>& divided_otherwise_;
};

}  // namespace repld::link
