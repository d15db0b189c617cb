#include "verify/refetch.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apply/progress_store.h"
#include "apply/suspicion.h"
#include "core/array_text.h"
#include "embedded_sql.h"
#include "pg/snapshot.h"
#include "verify/described.h"

namespace repld::verify {

namespace {

constexpr int kRowsMax = 5000;  // at one fence

// Rows of a table that the same columns identify.
struct Queued {
  TableName table;
  std::vector<std::string> columns;
  std::vector<int64_t> ids;
  std::vector<DifferingRow> rows;
};

std::vector<std::string> texts_of(const pqxx::field& json) {
  return nlohmann::json::parse(json.c_str()).get<std::vector<std::string>>();
}

std::vector<Queued> read_queue(pg::Session& target, const std::string& link,
                               const std::set<TableName>& except) {
  std::vector<std::string> names;
  for (const TableName& table : except) {
    names.push_back(table.full());
  }
  std::vector<Queued> queue;
  for (const auto& row :
       target.exec_params(std::string(sql::kQueuedRows), link, kRowsMax, array_text(names))) {
    const TableName table{row[1].c_str(), row[2].c_str()};
    std::vector<std::string> columns = texts_of(row[3]);
    if (queue.empty() || queue.back().table != table || queue.back().columns != columns) {
      queue.push_back({table, std::move(columns), {}, {}});
    }
    queue.back().ids.push_back(row[0].as<int64_t>());
    DifferingRow& missing = queue.back().rows.emplace_back();
    for (std::string& text : texts_of(row[4])) {
      missing.key.emplace_back(std::move(text));
    }
  }
  return queue;
}

std::string removal(const Queued& queued) {
  return fmt::format("delete from repld.refetch where id in ({})", fmt::join(queued.ids, ", "));
}

// One fence's worth. Everything is connected before the target stands still, and waits for nobody's
// locks while it does.
class Fetching {
 public:
  Fetching(link::Link& link, pg::Session& target, const std::stop_token& stop)
      : link_(link),
        target_(target),
        stop_(stop),
        repair_(link.settings()),
        source_(link.settings().source),
        pinned_(link.settings().target) {
    source_.exec(kNoLongWait);
    pinned_.exec(kNoLongWait);
    fence_ = link.fence({.hold = true}, stop);
    repair_.stand_at(fence_->source_snapshot(), fence_->owner());
    source_.transact([&](pqxx::transaction_base& source) {
      source.exec("set transaction isolation level repeatable read");
      pg::import_snapshot(source, fence_->source_snapshot());
      pinned_.transact([&](pqxx::transaction_base& pinned) {
        replicated_ = link_.tables(target_, pinned, source);
      });
    });
  }

  // Nothing when there is nothing to bring any more.
  std::optional<MendedTable> bring(const Queued& queued) {
    const SourceTable* table = find(queued.table);
    if (table == nullptr) {
      forget(queued);
      return std::nullopt;
    }
    const ComparedTable compared = described(source_, target_, *table);
    TableProof proof;
    proof.table = table->name;
    proof.key = queued.columns;
    proof.key_forms = repair_.column_forms(compared, queued.columns);
    proof.listed = queued.rows;
    proof.missing = static_cast<int64_t>(queued.rows.size());
    const TableName& known_as = replicated_.states.at(table->oid).known_as;
    // What was compared before the rows came has them as missing.
    MendedTable mended = repair_.mend(
        compared, proof, stop_,
        removal(queued) + "; " +
            apply::suspect_statement(link_.settings().config.link.name, known_as, kDriftSuspicion));
    link_.suspect(known_as, kDriftSuspicion);
    return mended;
  }

 private:
  // Null: its rows are copied anew, or it has left the link, or the source has dropped it. It may
  // have been renamed since its rows were queued, or before.
  const SourceTable* find(const TableName& name) const {
    for (const SourceTable& table : replicated_.tables) {
      if (replicated_.states.at(table.oid).known_as == name) {
        return &table;
      }
    }
    for (const SourceTable& table : replicated_.tables) {
      if (table.name == name) {
        return &table;
      }
    }
    for (const link::UnprovableTable& table : replicated_.unprovable) {
      if (table.name == name && !table.gone) {
        throw Error(ErrorKind::refused, fmt::format("rows of \"{}\" are missing", name.full()))
            .detail("they cannot be brought: {}", table.reason)
            .table(name.full());
      }
    }
    return nullptr;
  }

  void forget(const Queued& queued) {
    target_.transact([&](pqxx::transaction_base& transaction) {
      apply::require_owner(transaction, link_.settings().config.link.name, fence_->owner());
      transaction.exec(removal(queued));
    });
  }

  link::Link& link_;
  pg::Session& target_;
  const std::stop_token stop_;
  Repair repair_;
  pg::Session source_;
  pg::Session pinned_;
  std::unique_ptr<link::Fence> fence_;
  link::ReplicatedTables replicated_;
};

}  // namespace

Refetched refetch(link::Link& link, const std::stop_token& stop) {
  Refetched refetched;
  std::map<TableName, MendedTable> brought;
  std::set<TableName> failed;
  pg::Session target(link.settings().target);
  const std::string& name = link.settings().config.link.name;
  while (!read_queue(target, name, failed).empty()) {
    Fetching fetching(link, target, stop);
    // Nothing is added now: the applier stands still.
    for (const Queued& queued : read_queue(target, name, failed)) {
      try {
        if (const auto mended = fetching.bring(queued)) {
          MendedTable& sum = brought[mended->table];
          sum.table = mended->table;
          sum.removed += mended->removed;
          sum.written += mended->written;
        }
      } catch (const Error& error) {
        const bool lost = error.kind() == ErrorKind::connect && error.sqlstate().empty();
        if (lost) {
          throw;
        }
        // It must not keep the others back; they go on at another fence.
        failed.insert(queued.table);
        refetched.failure = error;
        break;
      }
    }
  }
  for (auto& [table, mended] : brought) {
    refetched.tables.push_back(std::move(mended));
  }
  return refetched;
}

}  // namespace repld::verify
