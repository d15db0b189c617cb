#include "link/replicated.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "embedded_sql.h"
#include "link/adoption.h"
#include "link/shapes.h"
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

// Why the target's table, which is called so now, is not the one that the source's name leads to;
// empty: it is.
std::string mismatch(const pqxx::field& schema, const pqxx::field& name, const TableName& source) {
  if (schema.is_null()) {
    return "the target's table that was copied is gone";
  }
  const TableName called{schema.c_str(), name.c_str()};
  return called == source ? ""
                          : fmt::format("it is called {} on the source and {} on the target",
                                        source.full(), called.full());
}

int64_t doubts_of(Shared& shared, const TableName& name) {
  return shared.status.with([&](LinkStatus& status) {
    const TableStatus* table = find_table(status, name);
    return table == nullptr ? 0 : table->doubts;
  });
}

}  // namespace

TableStatus* find_table(LinkStatus& status, const TableName& name) {
  const auto found =
      std::find_if(status.tables.begin(), status.tables.end(), [&](const TableStatus& table) {
        return table.schema == name.schema && table.name == name.name;
      });
  return found == status.tables.end() ? nullptr : &*found;
}

void suspect(Shared& shared, const TableName& table, const char* reason) {
  shared.status.with([&](LinkStatus& status) {
    TableStatus* shown = find_table(status, table);
    if (shown == nullptr) {
      return;
    }
    ++shown->doubts;
    shown->doubt = reason;
    if (shown->proof) {
      shown->proof->suspicion = reason;
    }
  });
  shared.hooks.overtaken();
}

std::vector<TableStatus> shown_tables(pg::Session& target, const Shared& shared) {
  std::vector<TableStatus> tables;
  for (const auto& row : target.exec_params(std::string(sql::kCopiedTables), shared.name())) {
    TableStatus table;
    table.schema = row[0].c_str();
    table.name = row[1].c_str();
    if (!shared.carries({table.schema, table.name})) {
      continue;
    }
    table.group = group_of(shared.settings.config, table.schema, table.name);
    table.state = TableState::copied;
    table.rows_copied = row[3].as<int64_t>();
    table.bytes_copied = table.bytes_total = row[4].as<int64_t>();
    table.copied_at = row[5].as<double>();
    if (!row[6].is_null()) {
      table.proof =
          ProofStatus{row[6].as<double>(),        row[7].as<int64_t>(),  row[8].as<int64_t>(),
                      row[9].as<int64_t>(),       row[10].as<int64_t>(), row[11].as<int64_t>(),
                      row[12].as<std::string>("")};
    }
    table.source_oid = row[2].as<uint32_t>();
    table.proven_shape = row[14].as<std::string>("");
    tables.push_back(std::move(table));
  }
  return tables;
}

std::set<TableName> copied_by_opposite(pg::Session& source, const std::string& link) {
  std::set<TableName> tables;
  if (!pg::may_read(source, {"repld", "table_state"})) {
    return tables;
  }
  for (const auto& row : source.exec_params(
           "select schema_name, table_name from repld.table_state where link = $1 and state = "
           "'copied'",
           opposite_name(link))) {
    tables.insert({row[0].c_str(), row[1].c_str()});
  }
  return tables;
}

void show_taken_tables(pg::Session& target, Shared& shared) {
  if (shared.status.with([](const LinkStatus& status) { return status.tables_known; })) {
    return;
  }
  std::vector<TableStatus> shown = shown_tables(target, shared);
  for (const auto& row : target.exec_params("select schema_name, table_name from repld.table_state "
                                            "where link = $1 and state <> 'copied' order by 1, 2",
                                            shared.name())) {
    TableStatus table;
    table.schema = row[0].c_str();
    table.name = row[1].c_str();
    table.group = group_of(shared.settings.config, table.schema, table.name);
    shown.push_back(std::move(table));
  }
  shared.status.with([&](LinkStatus& status) {
    status.tables = std::move(shown);
    status.tables_known = true;
  });
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
    if (!shared.carries(name)) {
      continue;
    }
    const auto oid = row[2].as<uint32_t>();
    const auto found = std::find_if(known.begin(), known.end(), [&](const SourceTable& table) {
      return oid != 0 ? oid == table.oid : name == table.name;
    });
    if (found == known.end()) {
      replicated.unprovable.push_back(
          {name, "the source has no such table any more, or another one of this name", true});
    } else if (auto reason = mismatch(row[16], row[17], found->name); !reason.empty()) {
      replicated.unprovable.push_back({name, std::move(reason)});
    } else if (const auto operations = partial_operations(adopted, found->oid)) {
      replicated.unprovable.push_back(
          {found->name, "what is published of it is only: " + to_string(*operations)});
    } else {
      replicated.tables.push_back(*found);
      ProvenState& state = replicated.states[found->oid];
      state.known_as = name;
      state.suspected_at = row[13].as<std::string>("");
      state.queued = row[15].as<int64_t>();
    }
  }
  std::vector<uint32_t> oids;
  for (const SourceTable& table : replicated.tables) {
    oids.push_back(table.oid);
  }
  for (const auto& [oid, shape] : read_shapes(source, oids)) {
    replicated.states[oid].shape = shape;
  }
  return replicated;
}

void keep_proof(pg::Session& target, Shared& shared, const TableProof& proof,
                const ProvenState& state) {
  // Doubts are told here after their COMMIT: what is told meanwhile may not have been there yet
  // when the proof was stored.
  const int64_t doubts_before = doubts_of(shared, state.known_as);
  const auto kept =
      target.exec_params(std::string(sql::kStoreVerification), shared.name(), state.known_as.schema,
                         state.known_as.name, proof.rows, proof.target_rows, proof.missing,
                         proof.extra, proof.different, proof.unproven, proof.seconds, state.shape,
                         state.suspected_at, state.queued);
  if (!proof.unproven.empty()) {
    return;
  }
  const double now = now_seconds();
  shared.status.with([&](LinkStatus& status) {
    if (TableStatus* table = find_table(status, state.known_as)) {
      table->proof = ProofStatus{now,
                                 proof.rows,
                                 proof.target_rows,
                                 proof.missing,
                                 proof.extra,
                                 proof.different,
                                 table->doubts != doubts_before ? table->doubt
                                 : kept.empty()                 ? ""
                                                                : kept[0][0].as<std::string>("")};
      table->proven_shape = state.shape;
    }
  });
}

}  // namespace repld::link
