// What a session answers about relations of the stream: where they stand on either side, and what
// is made or left out because of it.
#include <set>

#include "apply/suspicion.h"
#include "core/array_text.h"
#include "embedded_sql.h"
#include "link/replicated.h"
#include "link/session.h"
#include "link/shown.h"
#include "link/table_plan.h"
#include "link/taken_over.h"
#include "pg/catalog.h"
#include "pg/column_types.h"
#include "stream/replaced.h"

namespace repld::link {

std::optional<RelationFacts> LinkSession::look_up(const Relation& relation) {
  auto facts = facts_of(*source_, relation);
  if (facts) {
    require_not_replaced(*facts);
  }
  if (facts && row_->publications) {
    facts->identity = identity_need(supplies_, relation.oid, facts->root);
  }
  return facts;
}

// One that bears the name of another that was copied: its rows are none of that copy's. If both are
// the link's, then which table of the target is whose decides.
void LinkSession::require_not_replaced(const RelationFacts& facts) {
  const auto another = target_->exec_params(
      "select from repld.table_state where link = $1 and schema_name = $2 and table_name = $3 "
      "and state = 'copied' and source_oid <> $4 "
      "and not exists (select from repld.table_state where link = $1 and source_oid = $4)",
      shared_.name(), facts.root.schema, facts.root.name, facts.root_oid);
  if (!another.empty()) {
    throw stream::replaced_tables({facts.root.full()});
  }
}

// As the stream tells them: the catalogs may have changed since.
std::vector<TypeShape> LinkSession::column_types(const Relation& relation) {
  std::set<pg::TypeId> wanted;
  for (const RelationColumn& column : relation.columns) {
    wanted.emplace(column.type_oid, column.type_modifier);
  }
  std::map<pg::TypeId, TypeShape> known = pg::read_types(*source_, wanted);
  std::vector<TypeShape> types;
  for (const RelationColumn& column : relation.columns) {
    types.push_back(known[{column.type_oid, column.type_modifier}]);
  }
  return types;
}

// As the link knows it. One that the source has dropped since is known to the target still, and so
// is a partition that belongs nowhere any more.
TableName LinkSession::root_of(const Relation& relation) {
  const auto facts = look_up(relation);
  const uint32_t root = facts ? facts->root_oid : relation.oid;
  if (const auto name = known_as(*target_, shared_.name(), root, 0)) {
    return *name;
  }
  const TableName own{relation.schema, relation.name};
  const auto table = pg::read_target_table(*target_, own);
  const auto name = known_as(*target_, shared_.name(), 0, table ? table->oid : 0);
  return name.value_or(facts ? facts->root : own);
}

void LinkSession::overtake_by_skip(const std::vector<RelationPtr>& relations) {
  std::set<TableName> tables;
  for (const RelationPtr& relation : relations) {
    tables.insert(root_of(*relation));
  }
  target_->transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    for (const TableName& table : tables) {
      transaction.exec(apply::suspect_statement(shared_.name(), table, kSkipSuspicion));
    }
  });
  for (const TableName& table : tables) {
    suspect(shared_, table, kSkipSuspicion);
  }
}

Partitions LinkSession::partitions() {
  return Partitions(*source_, *target_, *surroundings_, row_->guard_nonce, shared_.settings.config,
                    shared_.divided_otherwise);
}

apply::SchemaQuestions LinkSession::questions(Partitions& partitions, NewColumns& new_columns) {
  apply::SchemaQuestions questions;
  questions.require_shown = [this](const Relation& relation, uint32_t xid) {
    if (!shows(*source_, xid)) {
      throw not_shown_yet(relation);
    }
  };
  questions.require_altered_shown = [this](const Relation& relation, uint32_t xid) {
    if (!shows_altered(*source_, relation, xid)) {
      throw not_shown_yet(relation);
    }
  };
  questions.look_up = [this](const Relation& relation) { return look_up(relation); };
  questions.require_taken_over = [this](const Relation& relation,
                                        const std::optional<RelationFacts>& facts,
                                        const std::optional<TargetTable>& table) {
    return require_taken_over(*target_, shared_.name(), relation, facts, table);
  };
  questions.column_types = [this](const Relation& relation) { return column_types(relation); };
  questions.mark = [this](uint32_t oid) -> std::optional<std::string> {
    const auto rows = source_->exec_params(std::string(sql::kRelationMark), oid);
    return rows.empty() ? std::nullopt : std::optional<std::string>(rows[0][0].c_str());
  };
  questions.ensure_partition = [&partitions](const Relation& leaf, const TableName& root,
                                             const std::optional<RelationFacts>& source,
                                             const std::function<void()>& before_ddl) {
    partitions.ensure(leaf, root, source, before_ddl);
  };
  questions.are_all_leaves = [this](uint32_t root, const std::vector<uint32_t>& leaves) {
    std::vector<std::string> oids;
    for (const uint32_t oid : leaves) {
      oids.push_back(std::to_string(oid));
    }
    return source_
        ->exec_params(
            "select not exists (select from pg_partition_tree($1::oid::regclass) "
            "where isleaf and relid <> all ($2::oid[]::regclass[]))",
            root, array_text(oids))[0][0]
        .as<bool>();
  };
  questions.ensure_columns = [&new_columns](const Relation& relation, const TargetTable& table,
                                            const std::function<void()>& before_ddl) {
    return new_columns.add(relation, table, before_ddl);
  };
  return questions;
}

}  // namespace repld::link
