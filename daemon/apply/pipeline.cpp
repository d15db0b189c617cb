#include "apply/pipeline.h"

#include "base/failpoint.h"
#include "base/wakeup.h"
#include "core/sql_text.h"

namespace repld::apply {

namespace {

constexpr const char* kPositionQuery =
    "select pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn()";

// libpq holds what is queued and moves all of it when the socket takes only a part, so little may
// pile up there.
constexpr size_t kFlushBytes = 64 << 10;
// Division by zero: how our statements say that no row was touched (core/apply_sql).
constexpr std::string_view kNotOneRow = "22012";
constexpr size_t kCommandBytes = 64;  // about what a Bind and Execute take besides the values
constexpr int kPollMs = 100;
constexpr std::chrono::seconds kPatience{3};  // for answers, once stopped

}  // namespace

Pipeline::Pipeline(pg::PipelineConnection& connection, SchemaMap& schema, std::string link,
                   std::string owner, std::stop_token stop)
    : connection_(connection),
      schema_(schema),
      link_(std::move(link)),
      owner_(std::move(owner)),
      stop_(std::move(stop)) {}

std::string Pipeline::advance_sql(Lsn from, Lsn to) const {
  return fmt::format("select repld.advance({}, {}, '{}', '{}')", quote_literal(link_),
                     quote_literal(owner_), to_string(from), to_string(to));
}

std::shared_ptr<InFlight> Pipeline::send(Batch batch, Strictness strictness, Commit commit) {
  auto in_flight = std::make_shared<InFlight>();
  in_flight->batch = std::move(batch);
  in_flight->batch.sent_at = std::chrono::steady_clock::now();
  const Batch& sent = in_flight->batch;
  for (const TransactionPart& part : sent.parts) {
    schema_.map_all(part);
  }
  send_other(in_flight, "begin");
  send_other(in_flight, advance_sql(sent.from, sent.to));
  send_other(in_flight, "set constraints all deferred");
  if (sent.synchronous) {
    send_other(in_flight, "set local synchronous_commit = on");
  }
  for (size_t i = 0; i < sent.parts.size(); ++i) {
    send_changes(in_flight, sent.parts[i], i, strictness);
  }
  if (commit == Commit::with_changes) {
    failpoint("apply.before_commit");
    send_commit(in_flight);
  } else {
    send_sync(in_flight);
  }
  failpoint("apply.batch_sent");
  return in_flight;
}

void Pipeline::send_commit(const std::shared_ptr<InFlight>& in_flight) {
  in_flight->finished = false;
  connection_.execute("commit");
  owe(Owed::Kind::commit, in_flight);
  connection_.execute(kPositionQuery);
  owe(Owed::Kind::position, in_flight);
  send_sync(in_flight);
}

std::shared_ptr<InFlight> Pipeline::send_begin(Lsn from) {
  auto in_flight = std::make_shared<InFlight>();
  in_flight->batch.from = from;
  in_flight->batch.sent_at = std::chrono::steady_clock::now();
  send_other(in_flight, "begin");
  send_other(in_flight, advance_sql(from, from));
  send_other(in_flight, "set constraints all deferred");
  return in_flight;
}

void Pipeline::send_part(const std::shared_ptr<InFlight>& in_flight, const TransactionPart& part,
                         Strictness strictness) {
  send_other(in_flight, "savepoint part");
  send_changes(in_flight, part, 0, strictness);
  send_other(in_flight, "release savepoint part");
  send_sync(in_flight);
}

void Pipeline::send_rollback_to_part(const std::shared_ptr<InFlight>& in_flight) {
  in_flight->failure.reset();
  in_flight->failed_change.reset();
  send_other(in_flight, "rollback to savepoint part");
}

void Pipeline::send_advance(const std::shared_ptr<InFlight>& in_flight, Lsn from, Lsn to) {
  in_flight->batch.to = to;
  send_other(in_flight, advance_sql(from, to));
}

void Pipeline::send_rollback() {
  send_other(nullptr, "rollback");
  send_sync(nullptr);
}

void Pipeline::send_position_query() {
  connection_.execute(kPositionQuery);
  owe(Owed::Kind::position, nullptr);
  send_sync(nullptr);
}

void Pipeline::owe(Owed::Kind kind, const std::shared_ptr<InFlight>& in_flight) {
  Owed owed;
  owed.kind = kind;
  owed.in_flight = in_flight;
  owed_.push_back(std::move(owed));
}

void Pipeline::send_other(const std::shared_ptr<InFlight>& in_flight, const std::string& sql) {
  connection_.execute(sql);
  owe(Owed::Kind::other, in_flight);
}

void Pipeline::send_sync(const std::shared_ptr<InFlight>& in_flight) {
  connection_.sync();
  owe(Owed::Kind::sync, in_flight);
  flush();
}

void Pipeline::send_changes(const std::shared_ptr<InFlight>& in_flight, const TransactionPart& part,
                            size_t part_index, Strictness strictness) {
  for (size_t i = 0; i < part.changes.size(); ++i) {
    const Change& change = part.changes[i];
    bind(schema_, part, change, strictness, bound_);
    const Owed owed{Owed::Kind::change, in_flight,  bound_.prepared, bound_.relation,
                    change.kind,        strictness, part_index,      i};
    if (bound_.prepared == nullptr) {
      connection_.execute(bound_.sql);
    } else {
      if (bound_.prepared->state == Prepared::State::absent) {
        connection_.prepare(bound_.prepared->name, bound_.prepared->statement.sql);
        bound_.prepared->state = Prepared::State::sent;
        Owed prepare = owed;
        prepare.kind = Owed::Kind::prepare;
        owed_.push_back(std::move(prepare));
      }
      connection_.execute_prepared(bound_.prepared->name, bound_.values);
    }
    owed_.push_back(owed);
    unflushed_bytes_ += bound_.bytes + kCommandBytes;
    if (unflushed_bytes_ >= kFlushBytes) {
      flush();
    }
  }
}

void Pipeline::flush() {
  while (!connection_.flush()) {
    receive();
    give_up_when_stopped();
    poll_socket(connection_.socket(), true, kPollMs);
  }
  unflushed_bytes_ = 0;
}

void Pipeline::receive() {
  while (const pg::ResultHandle result = connection_.try_result()) {
    REPLD_ASSERT(!owed_.empty());
    const Owed owed = std::move(owed_.front());
    owed_.pop_front();
    take(owed, result.get());
  }
}

void Pipeline::receive_all() {
  while (true) {
    receive();
    if (owed_.empty()) {
      return;
    }
    flush();
    give_up_when_stopped();
    poll_socket(connection_.socket(), false, kPollMs);
  }
}

// What was sent and not answered is safe to leave: the server commits it with its progress or not
// at all, and the next session waits for this one's end.
void Pipeline::give_up_when_stopped() {
  if (!stop_.stop_requested()) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  stopped_at_ = stopped_at_.value_or(now);
  if (now - *stopped_at_ > kPatience) {
    throw Error(ErrorKind::connect, "stopped while the target was busy");
  }
}

void Pipeline::take(const Owed& owed, const PGresult* result) {
  if (owed.kind == Owed::Kind::sync) {
    if (!pg::is_sync(result)) {
      throw Error(ErrorKind::protocol, "the target's answers are out of step");
    }
    if (owed.in_flight) {
      owed.in_flight->finished = true;
    }
    return;
  }
  if (pg::is_error(result)) {
    // A COMMIT runs deferred triggers of the user's, which may quote a row as a change may.
    const bool quotes = owed.kind == Owed::Kind::change || owed.kind == Owed::Kind::commit;
    Error error = pg::error_of(result, quotes ? pg::ServerWords::drop : pg::ServerWords::keep);
    if (error.sqlstate() == kNotOneRow && error.detail().empty()) {
      error.detail("its row is not there, or a trigger or rule of the target swallowed it");
    }
    fail(owed, std::move(error));
    return;
  }
  if (pg::is_skipped(result)) {
    return;
  }
  switch (owed.kind) {
    case Owed::Kind::prepare: owed.prepared->state = Prepared::State::ready; break;
    case Owed::Kind::change: take_change(owed, result); break;
    case Owed::Kind::commit: owed.in_flight->committed = pg::has_tag(result, "COMMIT"); break;
    case Owed::Kind::position:
      target_written_ = parse_lsn(PQgetvalue(result, 0, 0));
      target_flushed_ = parse_lsn(PQgetvalue(result, 0, 1));
      break;
    default: break;
  }
}

// That one row was touched has been proven on the server; a mending statement also says whether
// the row was there before.
void Pipeline::take_change(const Owed& owed, const PGresult* result) {
  if (owed.strictness == Strictness::exact || owed.relation == nullptr) {
    return;
  }
  const bool found = std::string_view(PQgetvalue(result, 0, 0)) != "0";
  if (owed.change_kind == ChangeKind::insert && found) {
    ++owed.in_flight->drift[owed.relation->table].unexpected;
  } else if (owed.change_kind != ChangeKind::insert && !found) {
    ++owed.in_flight->drift[owed.relation->table].missing;
  }
}

void Pipeline::fail(const Owed& owed, Error error) {
  if (!owed.in_flight) {
    throw error;
  }
  if (owed.in_flight->failure) {
    return;
  }
  if (owed.kind == Owed::Kind::change || owed.kind == Owed::Kind::prepare) {
    owed.in_flight->failed_part = owed.part;
    owed.in_flight->failed_change = owed.change;
  }
  owed.in_flight->failure = std::move(error);
}

}  // namespace repld::apply
