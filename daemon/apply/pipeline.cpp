#include "apply/pipeline.h"

#include "apply/suspicion.h"
#include "base/wakeup.h"
#include "core/sql_text.h"
#include "core/status.h"

namespace repld::apply {

namespace {

constexpr const char* kPositionQuery =
    "select pg_current_wal_insert_lsn(), pg_current_wal_flush_lsn()";

const char* sql_of(BatchPort::Command command) {
  using Command = BatchPort::Command;
  switch (command) {
    case Command::begin: return "begin";
    case Command::defer_constraints: return "set constraints all deferred";
    case Command::commit_synchronously: return "set local synchronous_commit = on";
    case Command::savepoint: return "savepoint part";
    case Command::release_savepoint: return "release savepoint part";
    case Command::rollback_to_savepoint: return "rollback to savepoint part";
    case Command::commit: return "commit";
    case Command::ask_position: return kPositionQuery;
    case Command::rollback: return "rollback";
  }
  return "";
}

// libpq holds what is queued and moves all of it when the socket takes only a part, so little may
// pile up there.
constexpr size_t kFlushBytes = 64 << 10;
// Division by zero: how our statements say that they touched another number of rows than was due
// (core/apply_sql, core/set_sql).
constexpr std::string_view kNotOneRow = "22012";
constexpr std::string_view kNoSuchTable = "42P01";
constexpr size_t kCommandBytes = 64;  // about what a Bind and Execute take besides the values
constexpr int kPollMs = 100;
constexpr std::chrono::seconds kPatience{3};  // for answers, once stopped

// The next session looks where each table is, and says so if one is not where it belongs.
Error tables_renamed() {
  return Error(ErrorKind::connect, "tables of the target were renamed")
      .detail("nothing of the batch was applied; the link looks at their names again");
}

}  // namespace

Pipeline::Pipeline(pg::PipelineConnection& connection, SchemaMap& schema, std::string link,
                   std::string owner, std::stop_token stop)
    : connection_(connection),
      schema_(schema),
      link_(std::move(link)),
      owner_(std::move(owner)),
      stop_(std::move(stop)) {}

void Pipeline::queue(const InFlightPtr& in_flight, Command command) {
  // What was prepared behind the failure was skipped.
  if (command == Command::rollback || command == Command::rollback_to_savepoint) {
    schema_.forget_unconfirmed();
  }
  connection_.execute(sql_of(command));
  switch (command) {
    case Command::commit: owe(Owed::Kind::commit, in_flight); break;
    case Command::ask_position: owe(Owed::Kind::position, in_flight); break;
    default: owe(Owed::Kind::other, in_flight); break;
  }
}

void Pipeline::queue_advance(const InFlightPtr& in_flight, Lsn from, Lsn to) {
  connection_.execute(fmt::format("select repld.advance({}, {}, '{}', '{}')", quote_literal(link_),
                                  quote_literal(owner_), to_string(from), to_string(to)));
  owe(Owed::Kind::other, in_flight);
}

void Pipeline::queue_suspicion(const InFlightPtr& in_flight, const TableName& table) {
  connection_.execute(suspect_statement(link_, table, kDriftSuspicion));
  owe(Owed::Kind::other, in_flight);
}

void Pipeline::owe(Owed::Kind kind, const InFlightPtr& in_flight) {
  Owed owed;
  owed.kind = kind;
  owed.in_flight = in_flight;
  owed_.push_back(std::move(owed));
}

void Pipeline::queue_sync(const InFlightPtr& in_flight) {
  connection_.sync();
  owe(Owed::Kind::sync, in_flight);
  flush();
}

void Pipeline::queue_change(const InFlightPtr& in_flight, const TransactionPart& part,
                            const InOrder& place, Strictness strictness) {
  const Change& change = part.changes[place.change];
  bind(schema_, part, change, strictness, bound_);
  Owed owed;
  owed.kind = Owed::Kind::change;
  owed.in_flight = in_flight;
  owed.change_kind = change.kind;
  owed.strictness = strictness;
  owed.place = place;
  send_bound(std::move(owed));
}

void Pipeline::queue_rows(const InFlightPtr& in_flight, const RowSet& rows) {
  bind_set(schema_, rows, bound_);
  Owed owed;
  owed.kind = Owed::Kind::change;
  owed.in_flight = in_flight;
  owed.change_kind = rows.kind;
  send_bound(std::move(owed));
}

void Pipeline::queue_names(const InFlightPtr& in_flight, std::span<const TransactionPart> parts) {
  bind_names(schema_, parts, bound_);
  if (bound_.prepared != nullptr) {
    Owed owed;
    owed.kind = Owed::Kind::names;
    owed.in_flight = in_flight;
    send_bound(std::move(owed));
  }
}

// What is in bound_.
void Pipeline::send_bound(Owed owed) {
  const Owed::Kind kind = owed.kind;
  owed.prepared = bound_.prepared;
  owed.relation = bound_.relation;
  for (const std::string& sql : bound_.plain) {
    connection_.execute(sql);
    owed_.push_back(owed);
  }
  if (bound_.unnamed != nullptr) {
    connection_.execute(*bound_.unnamed, bound_.values);
    owed_.push_back(owed);
  }
  if (bound_.prepared != nullptr) {
    if (bound_.prepared->state == Prepared::State::absent) {
      connection_.prepare(bound_.prepared->name, bound_.prepared->statement.sql);
      bound_.prepared->state = Prepared::State::sent;
      owed.kind = Owed::Kind::prepare;
      owed_.push_back(owed);
      owed.kind = kind;
    }
    connection_.execute_prepared(bound_.prepared->name, bound_.values);
    owed_.push_back(owed);
  }
  unflushed_bytes_ += bound_.bytes + kCommandBytes;
  if (unflushed_bytes_ >= kFlushBytes) {
    flush();
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
    answered_at_ = now();
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

void Pipeline::wait(Wakeup& wakeup, std::chrono::milliseconds timeout) {
  poll_socket(connection_.socket(), false, wakeup, static_cast<int>(timeout.count()));
}

// What was sent and not answered is safe to leave: the server commits it with its progress or not
// at all, and the next session waits for this one's end.
void Pipeline::give_up_when_stopped() {
  if (!stop_.stop_requested()) {
    return;
  }
  const Clock::time_point moment = now();
  stopped_at_ = stopped_at_.value_or(moment);
  if (moment - *stopped_at_ > kPatience) {
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
    if (says_renamed(owed, error, result)) {
      fail(owed, tables_renamed());
      return;
    }
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

// A function of the target that lacks a table of its own gives a context.
bool Pipeline::says_renamed(const Owed& owed, const Error& error, const PGresult* result) {
  if (owed.kind == Owed::Kind::names) {
    return error.sqlstate() == kNotOneRow;
  }
  return (owed.kind == Owed::Kind::prepare || owed.kind == Owed::Kind::change) &&
         error.sqlstate() == kNoSuchTable && PQresultErrorField(result, PG_DIAG_CONTEXT) == nullptr;
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
  const bool changing = owed.kind == Owed::Kind::change || owed.kind == Owed::Kind::prepare;
  if (changing) {
    if (owed.place) {
      owed.in_flight->failed_part = owed.place->part;
      owed.in_flight->failed_change = owed.place->change;
    } else if (owed.relation != nullptr) {
      keep_order(owed.relation->table);
    }
  }
  owed.in_flight->failed_around = !changing && owed.kind != Owed::Kind::commit;
  owed.in_flight->failure = std::move(error);
}

}  // namespace repld::apply
