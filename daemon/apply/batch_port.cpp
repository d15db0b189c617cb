#include "apply/batch_port.h"

#include "base/failpoint.h"

namespace repld::apply {

namespace {

// For so many batches a table keeps the source's order after its folded rows were refused.
constexpr uint64_t kInOrderBatches = 64;

}  // namespace

InFlightPtr BatchPort::send(Batch batch, Strictness strictness, Commit commit) {
  auto in_flight = std::make_shared<InFlight>();
  in_flight->batch = std::move(batch);
  in_flight->sent_at = now();
  const Batch& sent = in_flight->batch;
  for (const TransactionPart& part : sent.parts) {
    map(part);
  }
  queue(in_flight, Command::begin);
  queue_advance(in_flight, sent.from, sent.to);
  queue(in_flight, Command::defer_constraints);
  if (sent.synchronous) {
    queue(in_flight, Command::commit_synchronously);
  }
  queue_changes(in_flight, sent.parts, strictness);
  if (commit == Commit::with_changes) {
    failpoint("apply.before_commit");
    send_commit(in_flight);
  } else {
    queue_sync(in_flight);
  }
  failpoint("apply.batch_sent");
  return in_flight;
}

void BatchPort::queue_changes(const InFlightPtr& in_flight, std::span<const TransactionPart> parts,
                              Strictness strictness) {
  if (strictness == Strictness::exact) {
    queue_folded(in_flight, parts);
  } else {
    queue_in_order(in_flight, parts, strictness);
  }
  queue_names(in_flight, parts);
}

void BatchPort::queue_in_order(const InFlightPtr& in_flight, std::span<const TransactionPart> parts,
                               Strictness strictness) {
  for (InOrder place; place.part < parts.size(); ++place.part) {
    const TransactionPart& part = parts[place.part];
    for (place.change = 0; place.change < part.changes.size(); ++place.change) {
      queue_change(in_flight, part, place, strictness);
    }
  }
}

void BatchPort::queue_folded(const InFlightPtr& in_flight, std::span<const TransactionPart> parts) {
  ++foldings_;
  ChangeSet changes(
      [this](const RelationPtr& relation) -> const RowMapping& { return mapping_of(relation); },
      [this](const RelationPtr& relation) { return keeps_order(relation); });
  for (const TransactionPart& part : parts) {
    changes.add(part);
  }
  for (const ApplyStep& step : changes.take()) {
    if (const auto* place = std::get_if<InOrder>(&step)) {
      queue_change(in_flight, parts[place->part], *place, Strictness::exact);
    } else {
      queue_rows(in_flight, std::get<RowSet>(step));
    }
  }
}

void BatchPort::keep_order(const TableName& table) {
  in_order_until_[table] = foldings_ + kInOrderBatches;
}

bool BatchPort::keeps_order(const RelationPtr& relation) {
  if (in_order_until_.empty()) {
    return false;
  }
  const auto found = in_order_until_.find(table_of(relation));
  return found != in_order_until_.end() && foldings_ <= found->second;
}

void BatchPort::send_commit(const InFlightPtr& in_flight) {
  in_flight->finished = false;
  queue(in_flight, Command::commit);
  queue(in_flight, Command::ask_position);
  queue_sync(in_flight);
}

InFlightPtr BatchPort::send_begin(Lsn from) {
  auto in_flight = std::make_shared<InFlight>();
  in_flight->batch.from = from;
  in_flight->sent_at = now();
  queue(in_flight, Command::begin);
  queue_advance(in_flight, from, from);
  queue(in_flight, Command::defer_constraints);
  return in_flight;
}

void BatchPort::send_part(const InFlightPtr& in_flight, const TransactionPart& part,
                          Strictness strictness) {
  queue(in_flight, Command::savepoint);
  queue_changes(in_flight, {&part, 1}, strictness);
  queue(in_flight, Command::release_savepoint);
  queue_sync(in_flight);
}

void BatchPort::send_rollback_to_part(const InFlightPtr& in_flight) {
  in_flight->failure.reset();
  in_flight->failed_change.reset();
  in_flight->failed_around = false;
  queue(in_flight, Command::rollback_to_savepoint);
  queue(in_flight, Command::release_savepoint);
}

void BatchPort::send_advance(const InFlightPtr& in_flight, Lsn from, Lsn to) {
  in_flight->batch.to = to;
  queue_advance(in_flight, from, to);
}

void BatchPort::send_suspicions(const InFlightPtr& in_flight) {
  for (const auto& [table, drift] : in_flight->drift) {
    queue_suspicion(in_flight, table);
  }
}

void BatchPort::send_rollback() {
  queue(nullptr, Command::rollback);
  queue_sync(nullptr);
}

void BatchPort::send_position_query() {
  queue(nullptr, Command::ask_position);
  queue_sync(nullptr);
}

}  // namespace repld::apply
