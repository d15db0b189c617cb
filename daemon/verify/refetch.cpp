#include "verify/refetch.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

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

std::vector<Queued> read_queue(pg::Session& target, const std::string& link) {
  std::vector<Queued> queue;
  for (const auto& row : target.exec_params(std::string(sql::kQueuedRows), link, kRowsMax)) {
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

// One fence's worth.
class Fetching {
 public:
  Fetching(link::Link& link, pg::Session& target, const std::stop_token& stop)
      : link_(link),
        target_(target),
        stop_(stop),
        fence_(link.fence({.hold = true}, stop)),
        repair_(link.settings(), fence_->source_snapshot(), fence_->owner()),
        source_(link.settings().source),
        pinned_(link.settings().target) {
    source_.transact([&](pqxx::transaction_base& source) {
      source.exec("set transaction isolation level repeatable read");
      pg::import_snapshot(source, fence_->source_snapshot());
      pinned_.transact([&](pqxx::transaction_base& pinned) {
        replicated_ = link_.tables(target_, pinned, source);
      });
    });
  }

  MendedTable bring(const Queued& queued) {
    const SourceTable* table = find(queued.table);
    if (table == nullptr) {
      // It has left the link, or the source has dropped it.
      target_.exec(removal(queued));
      MendedTable nothing;
      nothing.table = queued.table;
      return nothing;
    }
    const ComparedTable compared = described(source_, target_, *table);
    TableProof proof;
    proof.table = table->name;
    proof.key = queued.columns;
    proof.key_forms = repair_.column_forms(compared, queued.columns);
    proof.listed = queued.rows;
    proof.missing = static_cast<int64_t>(queued.rows.size());
    return repair_.mend(compared, proof, stop_, removal(queued));
  }

 private:
  const SourceTable* find(const TableName& name) const {
    for (const link::UnprovableTable& table : replicated_.unprovable) {
      if (table.name == name) {
        throw Error(ErrorKind::refused, fmt::format("rows of \"{}\" are missing", name.full()))
            .detail("they cannot be brought: {}", table.reason)
            .table(name.full());
      }
    }
    const auto found =
        std::find_if(replicated_.tables.begin(), replicated_.tables.end(),
                     [&](const SourceTable& table) { return table.name == name; });
    return found == replicated_.tables.end() ? nullptr : &*found;
  }

  link::Link& link_;
  pg::Session& target_;
  const std::stop_token stop_;
  const std::unique_ptr<link::Fence> fence_;
  Repair repair_;
  pg::Session source_;
  pg::Session pinned_;
  link::ReplicatedTables replicated_;
};

}  // namespace

std::vector<MendedTable> refetch(link::Link& link, const std::stop_token& stop) {
  std::map<TableName, MendedTable> brought;
  pg::Session target(link.settings().target);
  const std::string& name = link.settings().config.link.name;
  while (!read_queue(target, name).empty()) {
    Fetching fetching(link, target, stop);
    // Nothing is added now: the applier stands still.
    for (const Queued& queued : read_queue(target, name)) {
      const MendedTable mended = fetching.bring(queued);
      MendedTable& sum = brought[mended.table];
      sum.table = mended.table;
      sum.removed += mended.removed;
      sum.written += mended.written;
    }
  }
  std::vector<MendedTable> tables;
  for (auto& [table, mended] : brought) {
    tables.push_back(std::move(mended));
  }
  return tables;
}

}  // namespace repld::verify
