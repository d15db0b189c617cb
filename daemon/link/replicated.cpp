#include "link/replicated.h"

#include <algorithm>
#include <chrono>

#include "embedded_sql.h"
#include "link/adoption.h"
#include "pg/catalog.h"

namespace repld::link {

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

std::vector<SourceTable> replicated_tables(pg::Session& target, const Shared& shared,
                                           pqxx::transaction_base& source) {
  std::vector<SourceTable> tables = pg::read_source_tables(source);
  const std::vector<TableSupply> adopted = read_adopted(target, shared.name());
  if (!adopted.empty()) {
    tables = supplied_tables(tables, adopted);
  }
  const auto copied = target.exec_params(std::string(sql::kCopiedTables), shared.name());
  const auto is_none = [&](const SourceTable& table) {
    return std::none_of(copied.begin(), copied.end(), [&](const pqxx::row& row) {
      const auto oid = row[2].as<uint32_t>();
      return oid != 0 ? oid == table.oid : TableName{row[0].c_str(), row[1].c_str()} == table.name;
    });
  };
  tables.erase(std::remove_if(tables.begin(), tables.end(), is_none), tables.end());
  return tables;
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
