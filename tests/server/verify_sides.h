// Two platforms without a daemon between them, and tables of theirs compared.
//
// Nobody writes meanwhile, so snapshots taken one after the other show the same state.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "pg/catalog.h"
#include "support/pair.h"
#include "verify/compare.h"

namespace repld::testing {

// A pair of sessions in the transactions that a comparison wants.
class Snapshots {
 public:
  Snapshots(const std::string& source_dsn, const std::string& target_dsn)
      : source_server_{Side::source, source_dsn, {}},
        target_server_{Side::target, target_dsn, {}},
        source_(source_server_),
        target_(target_server_) {
    for (pg::CopyConnection* connection : {&source_, &target_}) {
      connection->exec("begin isolation level repeatable read read only");
      connection->exec("select pg_current_snapshot()");
    }
  }

  // As the catalogs have it now; by the key that both sides have, unless one is given.
  ComparedTable table(const std::string& name,
                      const std::optional<std::vector<std::string>>& key = std::nullopt) const {
    const TableName full = {"public", name};
    pg::Session source(source_server_);
    const auto tables = source.transact([](pqxx::transaction_base& transaction) {
      return pg::read_source_tables(transaction, pg::Sizes::measured);
    });
    const auto found = std::find_if(tables.begin(), tables.end(),
                                    [&](const SourceTable& table) { return table.name == full; });
    pg::Session session(target_server_);
    const auto target = pg::read_target_table(session, full);
    return compared_table(*found, *target,
                          key ? *key : common_key(*pg::relation_facts(source, full), *target));
  }

  TableProof prove(const ComparedTable& table, const verify::CompareOptions& options = {},
                   const std::stop_token& stop = {}) {
    return verify::Comparison(source(), target(), options).compare(table, stop);
  }

  verify::Endpoint source() { return {source_server_, source_}; }
  verify::Endpoint target() { return {target_server_, target_}; }

 private:
  pg::Server source_server_;
  pg::Server target_server_;
  pg::CopyConnection source_;
  pg::CopyConnection target_;
};

// "2 rows: missing 1; different 2,null", counts from the proof, keys in order.
inline std::string readable(const TableProof& proof) {
  if (!proof.unproven.empty()) {
    return "unproven: " + proof.unproven;
  }
  std::vector<std::string> rows;
  for (const DifferingRow& row : proof.listed) {
    std::string text = to_string(row.kind);
    for (const auto& value : row.key) {
      text += (&value == &row.key.front() ? " " : ",") + value.value_or("null");
    }
    rows.push_back(text);
  }
  std::sort(rows.begin(), rows.end());
  std::string text = fmt::format("{} rows:", proof.rows);
  for (const std::string& row : rows) {
    text += " " + row + ";";
  }
  if (static_cast<size_t>(proof.missing + proof.extra + proof.different) != rows.size()) {
    text += fmt::format(" in all {} missing, {} extra, {} different", proof.missing, proof.extra,
                        proof.different);
  }
  return text;
}

class Sides {
 public:
  // 0: as the environment says.
  explicit Sides(int source_version = 0)
      : source_(supabase_like(source_version)), target_(timeweb_like(timeweb_variant())) {}

  void on_source(const std::string& sql) const { Pair::run_sql(source_.dsn, sql); }
  void on_target(const std::string& sql) const { Pair::run_sql(target_.dsn, sql); }
  void on_both(const std::string& sql) const {
    on_source(sql);
    on_target(sql);
  }

  // As the daemon reaches the servers.
  Snapshots snapshots() const { return {source_.remote_dsn, target_.remote_dsn}; }

  std::string prove(const std::string& table,
                    const std::optional<std::vector<std::string>>& key = std::nullopt,
                    const verify::CompareOptions& options = {}) const {
    Snapshots taken = snapshots();
    return readable(taken.prove(taken.table(table, key), options));
  }

  const Platform& source() const { return source_; }
  const Platform& target() const { return target_; }

 private:
  Platform source_;
  Platform target_;
};

}  // namespace repld::testing
