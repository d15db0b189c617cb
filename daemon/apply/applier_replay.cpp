// What an Applier does about a batch that the target refused.
//
// It aborted on the server, and those behind it with it. It is replayed with mending statements and
// its COMMIT held; what still fails is narrowed down to the transaction at fault, everything before
// which is committed first. A crash anywhere here leaves what any crash leaves: batches that are
// committed with their progress, or not at all.
#include "apply/applier.h"

namespace repld::apply {

namespace {

const char* name_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::insert: return "INSERT";
    case ChangeKind::update: return "UPDATE";
    case ChangeKind::remove: return "DELETE";
    case ChangeKind::truncate: return "TRUNCATE";
  }
  return "change";
}

std::string place_of(const TransactionPart& part) {
  return fmt::format("source transaction {}, {} at {}", part.xid,
                     part.last ? "committed" : "committing", to_string(part.commit_lsn));
}

}  // namespace

// As the port does, and names the transaction that the target does not fit.
void Applier::map(const TransactionPart& part) {
  try {
    port_.map(part);
  } catch (const Error& cause) {
    if (cause.kind() == ErrorKind::connect) {
      throw;
    }
    Error error(cause);
    error.transaction(part.commit_lsn);
    error.detail("{}{}{}", cause.detail(), cause.detail().empty() ? "" : "; ", place_of(part));
    error.hint("{}{}Or leave the whole transaction out for good with replctl skip --lsn {}.",
               cause.hint(), cause.hint().empty() ? "" : " ", to_string(part.commit_lsn));
    throw error;
  }
}

// The oldest batch failed. Those behind it cannot have been committed, unless it was a flush.
void Applier::recover() {
  port_.receive_all();
  const InFlight& oldest = *in_flight_.front();
  if (oldest.batch.from == oldest.batch.to) {
    throw Error(ErrorKind::connect, "the target could not flush what it had committed")
        .detail("SQLSTATE {}", oldest.failure ? oldest.failure->sqlstate() : "");
  }
  std::deque<InFlightPtr> open = std::move(in_flight_);
  in_flight_.clear();
  for (const auto& in_flight : open) {
    REPLD_ASSERT(in_flight->finished && !in_flight->committed);
  }
  roll_back();
  sent_ = applied_;
  InFlight& failed = *open.front();
  if (!failed.failure) {
    throw Error(ErrorKind::connect, "the target rolled a batch back without saying why");
  }
  if (!worth_mending(failed)) {
    throw Error(*failed.failure);
  }
  replay(std::move(failed.batch));
  open.pop_front();
  for (const auto& in_flight : open) {
    in_flight->batch.from = sent_;
    send(std::move(in_flight->batch));
  }
}

void Applier::roll_back() {
  port_.send_rollback();
  port_.receive_all();
}

// Before DDL on the target from another session of ours. What is in flight ends by itself once its
// answers are read. A transaction in parts is open and would hold up the DDL for ever: it is
// given up, and streamed again when the DDL is done.
void Applier::release_locks() {
  if (in_large_) {
    restart_ = true;
    roll_back();
  } else {
    port_.receive_all();
  }
}

void Applier::replay(Batch batch) {
  const auto in_flight = port_.send(std::move(batch), Strictness::mending, BatchPort::Commit::held);
  port_.receive_all();
  if (!in_flight->failure) {
    commit_held(in_flight);
  }
  if (!in_flight->failure) {
    committed(*in_flight, in_flight->batch.parts.size());
    sent_ = applied_;
    return;
  }
  roll_back();
  Batch& refused = in_flight->batch;
  if (refused.parts.empty() || in_flight->failed_around) {
    throw Error(*in_flight->failure);
  }
  if (!in_flight->failed_change && refused.parts.size() > 1) {
    replay_singly(std::move(refused));
    return;
  }
  Batch before;
  before.from = refused.from;
  for (size_t i = 0; i < in_flight->failed_part; ++i) {
    before.add(std::move(refused.parts[i]));
  }
  if (!before.parts.empty()) {
    replay(std::move(before));
  }
  refuse(*in_flight, refused.parts[in_flight->failed_part]);
}

// A COMMIT that fails (a deferred constraint) does not say which transaction is at fault.
void Applier::replay_singly(Batch batch) {
  for (TransactionPart& part : batch.parts) {
    Batch single;
    single.from = applied_;
    single.add(std::move(part));
    replay(std::move(single));
  }
}

// At one of its changes or, where constraints wait for that, at its COMMIT.
void Applier::refuse(const InFlight& in_flight, const TransactionPart& part) const {
  const Error& cause = *in_flight.failure;
  if (!worth_mending(in_flight)) {
    throw Error(cause);
  }
  const Change* change =
      in_flight.failed_change ? &part.changes[*in_flight.failed_change] : nullptr;
  const std::string table =
      change != nullptr && change->relation ? change->relation->full_name() : cause.table();
  const std::string what = change == nullptr ? std::string("COMMIT")
                                             : fmt::format("{} number {}", name_of(change->kind),
                                                           *in_flight.failed_change + 1);
  Error error(cause.kind(), fmt::format("the target refused a change to \"{}\"", table));
  error.sqlstate(cause.sqlstate()).table(table).transaction(part.commit_lsn);
  error.detail("{} of {}: SQLSTATE {}{}{}", what, place_of(part), cause.sqlstate(),
               cause.detail().empty() ? "" : ", ", cause.detail());
  error.hint(
      "Everything before this transaction is applied. Mend the row or the constraint on "
      "the target, then run replctl resume; or leave the whole transaction out for good with "
      "replctl skip --lsn {}.",
      to_string(part.commit_lsn));
  throw error;
}

}  // namespace repld::apply
