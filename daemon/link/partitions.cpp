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
constexpr const char* kTableExists = "42P07";  // or an index, a view, a sequence
constexpr const char* kTypeExists = "42710";
// Made and dropped in one transaction, to learn whether any partition overlaps with some bounds.
constexpr const char* kProbe = "repld_probe";

// Under another name it could be made, but who looks after the partitions goes by their names.
Error name_taken(const TableName& partition, const Error& cause) {
  return Error(ErrorKind::schema,
               fmt::format("partition \"{}\" is missing on the target, and its name is taken there",
                           partition.full()))
      .detail("its rows have no place in the partitions that there are")
      .hint(
          "Rename or drop what bears the name on the target, or give that the bounds of the "
          "source's partition; then run replctl resume.")
      .sqlstate(cause.sqlstate())
      .table(partition.full());
}

}  // namespace

void Partitions::ensure(const Relation& relation, const TableName& root,
                        const std::optional<RelationFacts>& source,
                        const std::function<void()>& before_ddl) {
  const TableName leaf{relation.schema, relation.name};
  if (leaf == root || !pg::is_partitioned(target_, root)) {
    return;
  }
  const auto own = pg::relation_facts(target_, leaf);
  const bool stands = own && own->root == root && (!source || own->bound == source->bound);
  // A name that is taken is looked into only where what is missing may be made.
  const bool may_look = !own || config_.apply.on_missing_partition == OnMissingPartition::create;
  if (!stands && source && may_look && divided_otherwise_.count(relation.oid) == 0 &&
      create(relation, root, before_ddl)) {
    return;
  }
  if (own && config_.link.guard && unguarded(root)) {
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
  const std::optional<Missing> missing = this->missing(relation, root);
  if (!missing) {
    return false;
  }
  before_ddl();
  TableName made;
  try {
    target_.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec(kDdlLockTimeout);
      for (const Statement& statement : missing->statements) {
        made = statement.makes;
        transaction.exec(statement.sql);
      }
      protect(transaction, root);
    });
    spdlog::info("partition \"{}\" created on the target", relation.full_name());
    return true;
  } catch (const Error& error) {
    const bool taken = error.sqlstate() == kTableExists || error.sqlstate() == kTypeExists;
    if (taken && !have_place(*missing)) {
      throw name_taken(made, error);
    }
    if (!taken && error.sqlstate() != kOverlaps && error.sqlstate() != kHasItsRows) {
      throw;
    }
    leave_out(relation);
    return false;
  }
}

std::optional<Partitions::Missing> Partitions::missing(const Relation& relation,
                                                       const TableName& root) {
  Missing missing;
  const auto ancestry = source_.exec_params(std::string(sql::kPartitionAncestry), relation.oid);
  for (const auto& row : ancestry) {
    const TableName name{row[0].c_str(), row[1].c_str()};
    const TableName parent{row[2].c_str(), row[3].c_str()};
    if (missing.statements.empty()) {
      // Bounds mean something only under the key they were written for: the same may fit another.
      const auto key =
          target_.exec_params(std::string(sql::kPartitionKey), parent.schema, parent.name);
      if (key.empty() || std::string_view(key[0][0].c_str()) != row[5].c_str()) {
        leave_out(relation);
        return std::nullopt;
      }
      const bool leaf = row[6].is_null();
      const auto own = leaf ? std::nullopt : pg::relation_facts(target_, name);
      if (own && own->root == root) {
        continue;
      }
      missing.parent = parent;
      missing.bounds = row[4].c_str();
    }
    const std::string divided =
        row[6].is_null() ? "" : fmt::format(" partition by {}", row[6].c_str());
    missing.statements.push_back(
        {name, fmt::format("create table {} partition of {} {}{}",
                           quote_qualified(name.schema, name.name),
                           quote_qualified(parent.schema, parent.name), row[4].c_str(), divided)});
  }
  // Dropped since: whether its rows have a place is for the target to say.
  return missing.statements.empty() ? std::nullopt : std::optional<Missing>(std::move(missing));
}

bool Partitions::have_place(const Missing& missing) {
  const auto key = target_.exec_params(std::string(sql::kPartitionKey), missing.parent.schema,
                                       missing.parent.name);
  if (key.empty() || key[0][1].as<bool>()) {
    return true;
  }
  const std::string name = quote_qualified(missing.parent.schema, kProbe);
  try {
    target_.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec(kDdlLockTimeout);
      transaction.exec(fmt::format("create table {} partition of {} {}", name,
                                   quote_qualified(missing.parent.schema, missing.parent.name),
                                   missing.bounds));
      transaction.exec(fmt::format("drop table {}", name));
    });
    return false;
  } catch (const Error& error) {
    if (error.sqlstate() != kOverlaps) {
      throw;
    }
    return true;
  }
}

void Partitions::leave_out(const Relation& relation) {
  divided_otherwise_.insert(relation.oid);
  spdlog::info("partition \"{}\": the target divides the table in another way",
               relation.full_name());
}

}  // namespace repld::link
