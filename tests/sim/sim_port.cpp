#include "sim/sim_port.h"

#include "pg/sqlstate.h"
#include "sim/world.h"

namespace repld::sim {

using apply::InFlightPtr;

void SimPort::send(Owed owed, TargetCommand command) {
  owed_.push_back(std::move(owed));
  if (!world_.target_gone()) {
    target_.send(std::move(command));
  }
  world_.step(World::Pace::busy);
}

void SimPort::queue(const InFlightPtr& in_flight, Command command) {
  Owed owed;
  owed.in_flight = in_flight;
  if (command == Command::commit) {
    owed.kind = Owed::Kind::commit;
  } else if (command == Command::ask_position) {
    owed.kind = Owed::Kind::position;
  }
  TargetCommand sent;
  sent.plain = command;
  send(std::move(owed), std::move(sent));
}

void SimPort::queue_advance(const InFlightPtr& in_flight, Lsn from, Lsn to) {
  Owed owed;
  owed.in_flight = in_flight;
  TargetCommand sent;
  sent.kind = TargetCommand::Kind::advance;
  sent.from = from;
  sent.to = to;
  send(std::move(owed), std::move(sent));
}

void SimPort::queue_change(const InFlightPtr& in_flight, const TransactionPart& part,
                           const InOrder& place, Strictness strictness) {
  TargetCommand sent;
  sent.kind = TargetCommand::Kind::work;
  sent.work = work_of(part, part.changes[place.change], strictness);
  Owed owed{Owed::Kind::change, in_flight, sent.work.table, sent.work.kind, strictness, place};
  send(std::move(owed), std::move(sent));
}

void SimPort::queue_rows(const InFlightPtr& in_flight, const RowSet& rows) {
  TargetCommand sent;
  sent.kind = TargetCommand::Kind::work;
  sent.work = work_of(rows);
  Owed owed{Owed::Kind::change, in_flight, sent.work.table, sent.work.kind, Strictness::exact, {}};
  send(std::move(owed), std::move(sent));
}

void SimPort::queue_sync(const InFlightPtr& in_flight) {
  Owed owed;
  owed.kind = Owed::Kind::sync;
  owed.in_flight = in_flight;
  TargetCommand sent;
  sent.kind = TargetCommand::Kind::sync;
  send(std::move(owed), std::move(sent));
}

void SimPort::receive() {
  world_.step(World::Pace::busy);
  while (!owed_.empty() && !world_.random().chance(10)) {
    const std::optional<TargetAnswer> answer = target_.next_answer();
    if (!answer) {
      break;
    }
    const Owed owed = std::move(owed_.front());
    owed_.pop_front();
    answered_at_ = now();
    take(owed, *answer);
  }
  world_.require_target();
}

void SimPort::receive_all() {
  while (true) {
    receive();
    if (owed_.empty()) {
      return;
    }
    world_.give_up_when_stopped();
    world_.step(World::Pace::waiting);
  }
}

void SimPort::wait(Wakeup& wakeup, std::chrono::milliseconds timeout) {
  world_.wait(timeout);
  wakeup.drain();
}

apply::Clock::time_point SimPort::now() const {
  return apply::Clock::time_point(std::chrono::microseconds(world_.now_us()));
}

void SimPort::map(const TransactionPart& part) {
  for (const Change& change : part.changes) {
    if (!change.relation || !mapped_.insert(change.relation->oid).second ||
        !world_.random().chance(5)) {
      continue;
    }
    world_.note("the target gets a partition of {}", change.relation->name);
    release_();
    world_.run_ddl(target_.holds_locks());
  }
}

const TableName& SimPort::table_of(const RelationPtr& relation) {
  return table_specs()[leaves()[leaf_of_oid(relation->oid)].table].name;
}

const RowMapping& SimPort::mapping_of(const RelationPtr& relation) {
  return leaves()[leaf_of_oid(relation->oid)].mapping;
}

void SimPort::take(const Owed& owed, const TargetAnswer& answer) {
  if ((owed.kind == Owed::Kind::sync) != (answer.kind == TargetAnswer::Kind::sync)) {
    throw Broken("the simulation's answers are out of step");
  }
  switch (answer.kind) {
    case TargetAnswer::Kind::sync:
      if (owed.in_flight) {
        owed.in_flight->finished = true;
      }
      return;
    case TargetAnswer::Kind::error: fail(owed, answer); return;
    case TargetAnswer::Kind::skipped: return;
    case TargetAnswer::Kind::done: break;
  }
  if (owed.kind == Owed::Kind::change) {
    take_change(owed, answer);
  } else if (owed.kind == Owed::Kind::position) {
    written_ = answer.written;
    flushed_ = answer.flushed;
  } else if (owed.kind == Owed::Kind::commit) {
    owed.in_flight->committed = answer.committed;
    for (const auto& [table, drift] : owed.in_flight->drift) {
      seen_drift_.missing += answer.committed ? drift.missing : 0;
      seen_drift_.unexpected += answer.committed ? drift.unexpected : 0;
    }
  }
}

void SimPort::take_change(const Owed& owed, const TargetAnswer& answer) {
  if (owed.strictness == Strictness::exact || owed.change_kind == ChangeKind::truncate) {
    return;
  }
  const TableName& table = table_specs()[owed.table].name;
  if (owed.change_kind == ChangeKind::insert && answer.found) {
    ++owed.in_flight->drift[table].unexpected;
  } else if (owed.change_kind != ChangeKind::insert && !answer.found) {
    ++owed.in_flight->drift[table].missing;
  }
}

void SimPort::fail(const Owed& owed, const TargetAnswer& answer) {
  Error error(pg::kind_of_sqlstate(answer.sqlstate), "the target refused a statement");
  error.sqlstate(answer.sqlstate);
  if (!owed.in_flight) {
    throw error;
  }
  if (owed.in_flight->failure) {
    return;
  }
  if (owed.kind == Owed::Kind::change) {
    if (owed.place) {
      owed.in_flight->failed_part = owed.place->part;
      owed.in_flight->failed_change = owed.place->change;
    } else {
      keep_order(table_specs()[owed.table].name);
    }
  }
  owed.in_flight->failed_around =
      owed.kind != Owed::Kind::change && owed.kind != Owed::Kind::commit;
  world_.note("refused: SQLSTATE {}", answer.sqlstate);
  owed.in_flight->failure = std::move(error);
}

}  // namespace repld::sim
