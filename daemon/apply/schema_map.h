// Source relations to target tables: by name, columns by name, partitions through their root.
//
// A relation is mapped when its first change arrives, and again when the stream describes it anew
// and its mark says that it is another. What does not fit is Error(schema) before a value can be
// lost: a column that the target lacks or whose type would change values without a word, a key that
// no unique index of the target matches, a TRUNCATE of a partition that the target has not.
//
// The catalogs are read when a change arrives, not as of its position. They are never too old:
// whoever writes to a table after DDL has waited until that DDL was shown to all, so only the
// transaction of the DDL itself may stream before it is shown, and that one is waited for.
//
// Not thread-safe; owned by the apply thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/apply_sql.h"
#include "core/change_set.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::apply {

// A statement of one relation under its name on the apply connection.
struct Prepared {
  enum class State { absent, sent, ready };
  Statement statement;
  std::string name;
  State state = State::absent;
};

struct MappedRelation {
  RelationPtr relation;
  std::string mark;  // of the source before it was mapped; empty: it was gone
  TableName table;   // on the target, the root, as the link knows it
  TableName called;  // as it is called on the target
  uint32_t target_oid = 0;
  uint32_t source_root = 0;  // 0: gone
  RowMapping mapping;
  bool inserts_only = false;  // nothing identifies its rows, and nothing but INSERTs is due
  // Empty: a partition that the target divides in another way, so that no TRUNCATE says the same.
  std::string truncate_target;          // quoted; a leaf by its own name
  std::vector<std::string> deferrable;  // constraints that TRUNCATE must not find pending; quoted

  std::unique_ptr<Prepared> inserts[2];  // by Strictness
  std::unique_ptr<Prepared> deletes[2];
  // By strictness, old_row, then a flag per column: known, then moved.
  std::map<std::vector<bool>, std::unique_ptr<Prepared>> updates;
  // By kind; of updates also a flag per column: known.
  std::map<std::pair<ChangeKind, std::vector<bool>>, Statement> sets;
};

// What the source's catalogs say of a relation; nothing when it has been dropped since. Throws
// Error(schema) when its table bears the name of another that was copied.
using LookUp = std::function<std::optional<RelationFacts>(const Relation& relation)>;
// Makes sure that the target has a partition for this one, whose root is given. Calls `before_ddl`
// before it does anything that waits for locks on the table.
// `source`: what that says of the leaf; nothing: it is gone.
using EnsurePartition = std::function<void(const Relation& leaf, const TableName& root,
                                           const std::optional<RelationFacts>& source,
                                           const std::function<void()>& before_ddl)>;

// Adds columns to `table` that the relation has and it lacks, or does not; whether it added any.
using EnsureColumns = std::function<bool(const Relation& relation, const TargetTable& table,
                                         const std::function<void()>& before_ddl)>;

// The name by which the link knows `table`, which takes the relation's rows. Throws Error(schema)
// when there is none of the name, or the link has not made a replica of that one.
using RequireTakenOver =
    std::function<TableName(const Relation& relation, const std::optional<RelationFacts>& facts,
                            const std::optional<TargetTable>& table)>;

// The types of a relation's columns, parallel to them; without a name: gone since.
using ColumnTypes = std::function<std::vector<TypeShape>(const Relation& relation)>;

// What the map asks the link, once per shape of a relation.
struct SchemaQuestions {
  // Throws where the source does not show yet what the transaction `xid` made of the relation.
  std::function<void(const Relation& relation, uint32_t xid)> require_shown;
  // The same of what it may have done to the relation itself, and no other transaction.
  std::function<void(const Relation& relation, uint32_t xid)> require_altered_shown;
  LookUp look_up;
  RequireTakenOver require_taken_over;
  ColumnTypes column_types;
  // What of the source's catalogs, beside the description, the mapping goes by; nothing when the
  // relation is gone. Waits for no lock.
  std::function<std::optional<std::string>(uint32_t source_oid)> mark;
  EnsurePartition ensure_partition;
  EnsureColumns ensure_columns;
  // Whether the source's table has no other leaves than these.
  std::function<bool(uint32_t root, const std::vector<uint32_t>& leaves)> are_all_leaves;
};

class SchemaMap {
 public:
  // Borrows the target session. `dropped`: what a relation needs that the source has dropped since.
  SchemaMap(pg::Session& target, std::string link, SchemaQuestions ask,
            IdentityNeed dropped = IdentityNeed::required);

  // Called before DDL on a table that statements of ours may hold locks on: the caller must see to
  // it that these end by themselves, or end them.
  void before_ddl(std::function<void()> release) { release_ = std::move(release); }

  // Maps every relation of a part. To be called before the first statement of a transaction, so
  // that DDL never waits for locks which that transaction holds.
  void map_all(const TransactionPart& part);

  // The mapping of this very description; lives as long as the map. Throws Error(schema).
  MappedRelation& find(const RelationPtr& relation);

  // Whether every leaf is emptied of the source's table that the relation belongs to.
  bool empties(const Truncate& truncate, const MappedRelation& relation);
  // Throws Error(schema) where nothing on the target says the same as the TRUNCATE of `relation`.
  void require_truncatable(const Truncate& truncate, const MappedRelation& relation);

  Prepared& insert(MappedRelation& relation, Strictness strictness);
  Prepared& remove(MappedRelation& relation, Strictness strictness);
  Prepared& update(MappedRelation& relation, const UpdateShape& shape, Strictness strictness);
  const Statement& set(MappedRelation& relation, const RowSet& rows);
  // Raises unless the tables with these oids are called so: arrays of oids, schemas, names.
  Prepared& names();

  // Relations are mapped anew from here on. What is in flight keeps what it was mapped to.
  void forget();
  // After a failure: statements that were sent but never confirmed must be prepared again.
  void forget_unconfirmed();

 private:
  // Of the description before, when nothing has changed; else null.
  MappedRelation* unchanged(const RelationPtr& relation);
  void forget_unused(uint32_t oid);
  std::unique_ptr<MappedRelation> map(const RelationPtr& relation);
  std::unique_ptr<MappedRelation> map_as_shown(const RelationPtr& relation);
  TargetTable complete(const Relation& relation, TargetTable table);
  std::unique_ptr<Prepared> make(Statement statement);

  pg::Session& target_;
  const std::string link_;
  const SchemaQuestions ask_;
  const IdentityNeed dropped_;
  std::function<void()> release_;
  uint32_t xid_ = 0;  // of the part that is mapped
  struct Known {
    RelationPtr relation;
    MappedRelation* mapped;
  };
  std::unordered_map<const Relation*, Known> relations_;
  std::unordered_map<uint32_t, MappedRelation*> latest_;  // by oid
  std::vector<std::unique_ptr<MappedRelation>> mapped_;
  std::vector<Prepared*> prepared_;
  std::unique_ptr<Prepared> names_;
  uint64_t next_name_ = 0;
};

}  // namespace repld::apply
