#include "core/transaction.h"

#include <algorithm>
#include <utility>

#include "core/direction.h"
#include "core/error.h"

namespace repld {

namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

OldTuple old_tuple_of(pgoutput::OldRow::Kind kind) {
  switch (kind) {
    case pgoutput::OldRow::Kind::none: return OldTuple::none;
    case pgoutput::OldRow::Kind::key: return OldTuple::key;
    case pgoutput::OldRow::Kind::full: return OldTuple::full;
  }
  return OldTuple::none;
}

// Only the new row of an UPDATE may leave a TOASTed value to what is there already.
void require_all_values(const Relation& relation, const pgoutput::Tuple& tuple) {
  const bool complete = std::all_of(tuple.begin(), tuple.end(), [](const pgoutput::Column& c) {
    return c.kind != Value::Kind::unchanged;
  });
  if (!complete) {
    throw Error(ErrorKind::protocol, "a row that must be complete leaves out a value")
        .table(relation.full_name());
  }
}

// An UPDATE that brings a row into a row filter arrives as an INSERT, of a row that the target
// lacks, but without the TOASTed values that it left alone.
void require_inserted_values(const Relation& relation, const pgoutput::Tuple& tuple) {
  try {
    require_all_values(relation, tuple);
  } catch (Error& error) {
    throw error.detail("an UPDATE that brings a row into a row filter leaves out large values")
        .hint(
            "Set REPLICA IDENTITY FULL for the table on the source, so that such rows come whole "
            "from then on. Then run replctl finalize, empty the target's tables and start again.");
  }
}

}  // namespace

size_t TransactionPart::bytes() const {
  size_t total = changes.capacity() * sizeof(Change) + values.capacity() * sizeof(Value) +
                 truncates.capacity() * sizeof(Truncate) + arena.capacity();
  for (const Truncate& truncate : truncates) {
    total += truncate.relations.capacity() * sizeof(RelationPtr);
  }
  return total;
}

void leave_out(TransactionPart& part,
               const std::function<bool(const RelationPtr& relation)>& outside) {
  for (Truncate& truncate : part.truncates) {
    std::erase_if(truncate.relations, outside);
  }
  const Relation* last = nullptr;
  bool last_outside = false;
  std::erase_if(part.changes, [&](const Change& change) {
    if (change.kind == ChangeKind::truncate) {
      return part.truncates[change.truncate].relations.empty();
    }
    if (change.relation.get() != last) {
      last = change.relation.get();
      last_outside = outside(change.relation);
    }
    return last_outside;
  });
}

TransactionAssembler::TransactionAssembler(
    Lsn resume_after, size_t part_bytes_max,
    std::function<bool(const Relation&, uint32_t xid)> wanted, std::string echo)
    : resume_after_(resume_after),
      part_bytes_max_(part_bytes_max),
      wanted_(std::move(wanted)),
      echo_(std::move(echo)) {}

std::optional<TransactionPart> TransactionAssembler::push(const pgoutput::Message& message) {
  using Result = std::optional<TransactionPart>;
  const Overloaded visitor{
      [this](const pgoutput::Begin& m) -> Result {
        begin(m);
        return std::nullopt;
      },
      [this](const pgoutput::Commit& m) -> Result { return commit(m); },
      [this](const pgoutput::Origin&) -> Result {
        require_open("Origin");
        return std::nullopt;
      },
      [this](const Relation& m) -> Result {
        describe(m);
        return std::nullopt;
      },
      [](const pgoutput::Type&) -> Result { return std::nullopt; },
      [this](const pgoutput::Insert& m) -> Result {
        require_open("Insert");
        return add_row(ChangeKind::insert, m.relation_oid, {}, &m.new_row);
      },
      [this](const pgoutput::Update& m) -> Result {
        require_open("Update");
        return add_row(ChangeKind::update, m.relation_oid, m.old_row, &m.new_row);
      },
      [this](const pgoutput::Delete& m) -> Result {
        require_open("Delete");
        return add_row(ChangeKind::remove, m.relation_oid, m.old_row, nullptr);
      },
      [this](const pgoutput::Truncate& m) -> Result {
        require_open("Truncate");
        return add_truncate(m);
      },
      [this](const pgoutput::LogicalMessage& m) -> Result {
        note_message(m);
        return std::nullopt;
      },
  };
  return std::visit(visitor, message);
}

void TransactionAssembler::require_open(const char* message) const {
  if (!open_) {
    throw Error(ErrorKind::protocol, fmt::format("{} message outside a transaction", message));
  }
}

void TransactionAssembler::begin(const pgoutput::Begin& message) {
  if (open_) {
    throw Error(ErrorKind::protocol, "Begin message inside a transaction")
        .detail("xid {} within xid {}", message.xid, begin_.xid);
  }
  begin_ = message;
  open_ = true;
  sent_part_ = false;
  marker_ = false;
  echoes_ = false;
  // Progress is the end of a commit record or a later record boundary, and the next commit
  // record starts at or after it. So the start alone tells, before any part has left.
  dropped_ = message.final_lsn < resume_after_;
}

std::optional<TransactionPart> TransactionAssembler::commit(const pgoutput::Commit& message) {
  require_open("Commit");
  if (message.commit_lsn != begin_.final_lsn || message.end_lsn <= message.commit_lsn) {
    throw Error(ErrorKind::protocol, "Commit message does not fit its Begin")
        .detail("xid {}, announced at {}, committed at {}, ended at {}", begin_.xid,
                to_string(begin_.final_lsn), to_string(message.commit_lsn),
                to_string(message.end_lsn));
  }
  if (dropped_ != (message.end_lsn <= resume_after_)) {
    throw Error(ErrorKind::protocol, "a commit record lies across the position to resume after")
        .detail("xid {}, record from {} to {}, resuming after {}", begin_.xid,
                to_string(message.commit_lsn), to_string(message.end_lsn),
                to_string(resume_after_));
  }
  open_ = false;
  if (dropped_ || (echoes_ && part_.announcements.empty())) {
    return std::nullopt;
  }
  part_.end_lsn = message.end_lsn;
  return take_part(true);
}

void TransactionAssembler::describe(const Relation& relation) {
  relations_.store(relation);
  if (!wanted_) {
    return;
  }
  if (wanted_(relation, begin_.xid)) {
    unwanted_.erase(relation.oid);
  } else {
    unwanted_.insert(relation.oid);
  }
}

void TransactionAssembler::note_message(const pgoutput::LogicalMessage& message) {
  if (!message.transactional) {
    return;
  }
  require_open("transactional logical decoding");
  if (message.prefix == kRoutePrefix && !dropped_) {
    part_.announcements.emplace_back(message.content);
  }
  if (message.prefix != kMessagePrefix) {
    return;
  }
  // What came before it was written by somebody else.
  const bool first = !sent_part_ && part_.changes.empty() && !marker_;
  echoes_ = echoes_ || (first && !echo_.empty() && message.content == echo_);
  marker_ = true;
}

std::optional<TransactionPart> TransactionAssembler::add_row(ChangeKind kind, uint32_t oid,
                                                             const pgoutput::OldRow& old_row,
                                                             const pgoutput::Tuple* new_row) {
  if (dropped_ || echoes_ || unwanted_.count(oid) > 0) {
    return std::nullopt;
  }
  Change change;
  change.kind = kind;
  change.old_tuple = old_tuple_of(old_row.kind);
  change.relation = relations_.find(oid);
  if (change.old_tuple != OldTuple::none) {
    require_all_values(*change.relation, old_row.tuple);
    change.old_first = add_tuple(*change.relation, old_row.tuple);
  }
  if (kind == ChangeKind::insert) {
    require_inserted_values(*change.relation, *new_row);
  }
  if (new_row != nullptr) {
    change.new_first = add_tuple(*change.relation, *new_row);
  }
  part_.changes.push_back(std::move(change));
  return take_full_part();
}

std::optional<TransactionPart> TransactionAssembler::add_truncate(
    const pgoutput::Truncate& message) {
  if (dropped_ || echoes_) {
    return std::nullopt;
  }
  Truncate truncate;
  truncate.cascade = message.cascade;
  truncate.restart_identity = message.restart_identity;
  truncate.relations.reserve(message.relation_oids.size());
  for (const uint32_t oid : message.relation_oids) {
    if (unwanted_.count(oid) == 0) {
      truncate.relations.push_back(relations_.find(oid));
    }
  }
  if (truncate.relations.empty()) {
    return std::nullopt;
  }
  Change change;
  change.kind = ChangeKind::truncate;
  change.truncate = part_.truncates.size();
  part_.truncates.push_back(std::move(truncate));
  part_.changes.push_back(std::move(change));
  return take_full_part();
}

size_t TransactionAssembler::add_tuple(const Relation& relation, const pgoutput::Tuple& tuple) {
  if (tuple.size() != relation.columns.size()) {
    throw Error(ErrorKind::protocol, "a row does not have the columns of its relation")
        .detail("{} columns described, {} sent", relation.columns.size(), tuple.size())
        .table(relation.full_name());
  }
  const size_t first = part_.values.size();
  for (const pgoutput::Column& column : tuple) {
    Value value;
    value.kind = column.kind;
    if (column.kind == Value::Kind::text) {
      if (column.text.find('\0') != std::string_view::npos) {
        throw Error(ErrorKind::protocol, "a text value contains a zero byte")
            .table(relation.full_name());
      }
      value.length = static_cast<uint32_t>(column.text.size());
      value.offset = part_.arena.size();
      // At once with its zero byte, which would double the memory of a large value.
      part_.arena.reserve(part_.arena.size() + column.text.size() + 1);
      part_.arena.append(column.text);
      part_.arena.push_back('\0');
    }
    part_.values.push_back(value);
  }
  return first;
}

std::optional<TransactionPart> TransactionAssembler::take_full_part() {
  if (part_.bytes() < part_bytes_max_) {
    return std::nullopt;
  }
  return take_part(false);
}

TransactionPart TransactionAssembler::take_part(bool last) {
  TransactionPart part = std::exchange(part_, TransactionPart{});
  part.xid = begin_.xid;
  part.commit_lsn = begin_.final_lsn;
  part.commit_time_us = begin_.commit_time_us;
  part.first = !sent_part_;
  part.last = last;
  part.marker = last && marker_;
  sent_part_ = true;
  return part;
}

}  // namespace repld
