#include "link/replicated.h"

#include <algorithm>
#include <chrono>

#include "embedded_sql.h"
#include "link/adoption.h"
#include "pg/catalog.h"

namespace repld::link {

namespace {

// Where UPDATE or DELETE is not published the target keeps what the source has changed or removed.
std::optional<Operations> partial_operations(const std::vector<TableSupply>& adopted,
                                             uint32_t oid) {
  for (const TableSupply& table : adopted) {
    for (const LeafSupply& leaf : table.leaves) {
      const Operations given = leaf.supply ? leaf.supply->operations : Operations();
      const bool all_rows = given.inserts && given.updates && given.deletes;
      if (table.oid == oid && leaf.supply && !all_rows) {
        return given;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<TableStatus> shown_tables(pg::Session& target, const Shared& shared) {
  std::vector<TableStatus> tables;
  for (const auto& row : target.exec_params(std::string(sql::kCopiedTables), shared.name())) {
    TableStatus table;
    table.schema = row[0].c_str();
    table.name = row[1].c_str();
    table.group = group_of(shared.settings.config, table.schema, table.name);
    table.state = TableState::copied;
    table.rows_copied = row[3].as<int64_t>();
    table.bytes_copied = table.bytes_total = row[4].as<int64_t>();
    table.copied_at = row[5].as<double>();
    if (!row[6].is_null()) {
      table.proof = ProofStatus{row[6].as<double>(),  row[7].as<int64_t>(),  row[8].as<int64_t>(),
                                row[9].as<int64_t>(), row[10].as<int64_t>(), row[11].as<int64_t>()};
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

ReplicatedTables replicated_tables(pg::Session& live, const Shared& shared,
                                   pqxx::transaction_base& target, pqxx::transaction_base& source) {
  std::vector<SourceTable> known = pg::read_source_tables(source, pg::Sizes::estimated);
  const std::vector<TableSupply> adopted = read_adopted(live, shared.name());
  if (!adopted.empty()) {
    known = supplied_tables(known, adopted);
  }
  ReplicatedTables replicated;
  for (const auto& row : target.exec_params(std::string(sql::kCopiedTables), shared.name())) {
    const TableName name{row[0].c_str(), row[1].c_str()};
    const auto oid = row[2].as<uint32_t>();
    const auto found = std::find_if(known.begin(), known.end(), [&](const SourceTable& table) {
      return oid != 0 ? oid == table.oid : name == table.name;
    });
    if (found == known.end()) {
      replicated.unprovable.push_back(
          {name, "the source has no such table any more, or another one of this name"});
    } else if (const auto operations = partial_operations(adopted, found->oid)) {
      replicated.unprovable.push_back(
          {found->name, "what is published of it is only: " + to_string(*operations)});
    } else {
      replicated.tables.push_back(*found);
    }
  }
  return replicated;
}

void keep_proof(pg::Session& target, Shared& shared, const TableProof& proof) {
  target.exec_params(std::string(sql::kStoreVerification), shared.name(), proof.table.schema,
                     proof.table.name, proof.rows, proof.target_rows, proof.missing, proof.extra,
                     proof.different, proof.unproven, proof.seconds);
  if (!proof.unproven.empty()) {
    return;
  }
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  shared.status.with([&](LinkStatus& status) {
    for (TableStatus& table : status.tables) {
      if (table.schema == proof.table.schema && table.name == proof.table.name) {
        table.proof = ProofStatus{now,           proof.rows,  proof.target_rows,
                                  proof.missing, proof.extra, proof.different};
      }
    }
  });
}

}  // namespace repld::link
