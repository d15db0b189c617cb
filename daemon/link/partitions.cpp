#include "link/partitions.h"

#include <spdlog/spdlog.h>

#include "core/sql_text.h"
#include "embedded_sql.h"
#include "pg/catalog.h"

namespace repld::link {

namespace {

constexpr const char* kOverlaps = "42P17";  // invalid_object_definition

}  // namespace

void Partitions::ensure(const Relation& relation, const TableName& root) {
  const TableName leaf{relation.schema, relation.name};
  if (leaf == root || !pg::is_partitioned(target_, root)) {
    return;
  }
  if (!pg::read_target_table(target_, leaf)) {
    create(relation, root);
  }
  if (config_.link.guard) {
    target_.transact([&](pqxx::transaction_base& transaction) {
      transaction.exec("set local lock_timeout = '5s'");
      surroundings_.install_guard(transaction, root);
      surroundings_.set_aside(transaction, root);
    });
  }
}

void Partitions::create(const Relation& relation, const TableName& root) {
  if (config_.apply.on_missing_partition == OnMissingPartition::pause) {
    throw Error(ErrorKind::schema,
                fmt::format("partition \"{}\" is missing on the target", relation.full_name()))
        .hint("Create it below \"{}\", then run replctl resume.", root.full())
        .table(relation.full_name());
  }
  const auto bound = source_.exec_params(std::string(sql::kPartitionBound), relation.oid);
  if (bound.empty()) {
    return;  // dropped since; whether its rows have a place is for the target to say
  }
  try {
    target_.exec(fmt::format(
        "create table {} partition of {} {}", quote_qualified(relation.schema, relation.name),
        quote_qualified(bound[0][0].c_str(), bound[0][1].c_str()), bound[0][2].c_str()));
    spdlog::info("partition \"{}\" created on the target", relation.full_name());
  } catch (const Error& error) {
    if (error.sqlstate() != kOverlaps) {
      throw;
    }
    spdlog::info("partition \"{}\": the target divides the table in another way",
                 relation.full_name());
  }
}

}  // namespace repld::link
