#include "link/partitions.h"

#include <spdlog/spdlog.h>

#include "core/array_text.h"
#include "core/sql_text.h"
#include "embedded_sql.h"
#include "link/table_plan.h"
#include "pg/catalog.h"

namespace repld::link {

namespace {

constexpr const char* kOverlaps = "42P17";  // invalid_object_definition
// check_violation: rows for it are in the default partition, which may be about to leave that.
constexpr const char* kHasItsRows = "23514";

}  // namespace

void Partitions::ensure(const Relation& relation, const TableName& root,
                        const std::function<void()>& before_ddl) {
  const TableName leaf{relation.schema, relation.name};
  if (leaf == root || !pg::is_partitioned(target_, root)) {
    return;
  }
  if (!pg::read_target_table(target_, leaf)) {
    if (divided_otherwise_.count(relation.oid) == 0) {
      create(relation, root, before_ddl);
    }
  } else if (config_.link.guard && unguarded(root)) {
    before_ddl();
    target_.transact([&](pqxx::transaction_base& transaction) { protect(transaction, root); });
  }
}

int Partitions::complete(const std::vector<TableSupply>& tables) {
  int made = 0;
  for (const TableSupply& table : tables) {
    std::vector<SourceLeaf> leaves;
    for (const LeafSupply& leaf : table.leaves) {
      if (leaf.leaf && leaf.supply && leaf.oid != table.oid) {
        leaves.emplace_back();
        leaves.back().oid = leaf.oid;
        leaves.back().name = leaf.name;
      }
    }
    made += complete(table.name, leaves);
  }
  return made;
}

int Partitions::complete(const TableName& root, const std::vector<SourceLeaf>& leaves) {
  if (!pg::is_partitioned(target_, root)) {
    return 0;
  }
  int made = 0;
  for (const SourceLeaf& leaf : leaves) {
    if (divided_otherwise_.count(leaf.oid) == 0 && !pg::read_target_table(target_, leaf.name)) {
      Relation relation;
      relation.oid = leaf.oid;
      relation.schema = leaf.name.schema;
      relation.name = leaf.name.name;
      made += create(relation, root, [] {});
    }
  }
  return made;
}

bool Partitions::unguarded(const TableName& root) {
  return !target_
              .exec_params(std::string(sql::kUnguardedRelations), array_text({root.schema}),
                           array_text({root.name}), apply::guard_name(config_.link.name),
                           guard_nonce_)
              .empty();
}

void Partitions::protect(pqxx::transaction_base& transaction, const TableName& root) {
  transaction.exec(kDdlLockTimeout);
  if (config_.link.guard) {
    surroundings_.install_guard(transaction, {root});
  }
  surroundings_.set_aside(transaction, {root});
}

bool Partitions::create(const Relation& relation, const TableName& root,
                        const std::function<void()>& before_ddl) {
  if (config_.apply.on_missing_partition == OnMissingPartition::pause) {
    throw Error(ErrorKind::schema,
                fmt::format("partition \"{}\" is missing on the target", relation.full_name()))
        .hint("Create it below \"{}\", then run replctl resume.", root.full())
        .table(relation.full_name());
  }
  const auto bound = source_.exec_params(std::string(sql::kPartitionBound), relation.oid);
  if (bound.empty()) {
    return false;  // dropped since; whether its rows have a place is for the target to say
  }
  // Bounds mean something only under the key they were written for: the same ones may fit another.
  const auto key = target_.exec_params(std::string(sql::kPartitionKey), bound[0][0].c_str(),
                                       bound[0][1].c_str());
  if (!key.empty() && std::string_view(key[0][0].c_str()) != bound[0][3].c_str()) {
    leave_out(relation);
    return false;
  }
  before_ddl();
  try {
    target_.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec(kDdlLockTimeout);
      transaction.exec(fmt::format(
          "create table {} partition of {} {}", quote_qualified(relation.schema, relation.name),
          quote_qualified(bound[0][0].c_str(), bound[0][1].c_str()), bound[0][2].c_str()));
      protect(transaction, root);
    });
    spdlog::info("partition \"{}\" created on the target", relation.full_name());
    return true;
  } catch (const Error& error) {
    if (error.sqlstate() != kOverlaps && error.sqlstate() != kHasItsRows) {
      throw;
    }
    leave_out(relation);
    return false;
  }
}

void Partitions::leave_out(const Relation& relation) {
  divided_otherwise_.insert(relation.oid);
  spdlog::info("partition \"{}\": the target divides the table in another way",
               relation.full_name());
}

}  // namespace repld::link
