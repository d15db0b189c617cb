#include "link/rogues.h"

#include "apply/suspicion.h"
#include "base/failpoint.h"
#include "link/table_plan.h"

namespace repld::link {

namespace {

constexpr std::chrono::seconds kTellInterval{10};

}  // namespace

void Rogues::filter(TransactionPart& part) {
  meet(part);
  if (carriage_->untouched()) {
    return;
  }
  if (part.first) {
    outside_.clear();
  }
  const auto outside = [&](const RelationPtr& relation) { return is_outside(*relation, part); };
  for (const Change& change : part.changes) {
    if (change.relation && outside(change.relation)) {
      ++found_[root_of(*change.relation)];
    }
  }
  for (const Truncate& truncate : part.truncates) {
    for (const RelationPtr& relation : truncate.relations) {
      if (outside(relation)) {
        ++found_[root_of(*relation)];
      }
    }
  }
  if (!found_.empty()) {
    leave_out(part, outside);
  }
  if (part.last && !found_.empty()) {
    alarm(part);
  }
}

bool Rogues::is_outside(const Relation& relation, const TransactionPart& part) {
  auto found = outside_.find(relation.oid);
  if (found == outside_.end()) {
    const bool outside = !carriage_->carries(root_of(relation), part.commit_lsn);
    found = outside_.emplace(relation.oid, outside).first;
  }
  return found->second;
}

void Rogues::meet(const TransactionPart& part) {
  for (const std::string& text : part.announcements) {
    const auto move = parse_announcement(text);
    if (!move || move->link != configured_name(shared_.name()) || carriage_->has_met(*move)) {
      continue;
    }
    failpoint("link.before_flip");
    keep_flip(target_, shared_.name(), *move, part.commit_lsn);
    throw Error(ErrorKind::connect, fmt::format("group \"{}\" has moved", move->group))
        .detail("at {} of the source; the link begins again from there",
                to_string(part.commit_lsn));
  }
}

const TableName& Rogues::root_of(const Relation& relation) {
  auto found = roots_.find(relation.oid);
  if (found == roots_.end()) {
    found = roots_.emplace(relation.oid, root_of_(relation)).first;
  }
  return found->second;
}

void Rogues::alarm(const TransactionPart& part) {
  const std::string opposite = opposite_name(shared_.name());
  source_.transact([&](pqxx::transaction_base& transaction) {
    transaction.exec(kLockTimeout);
    for (const auto& [table, changes] : found_) {
      transaction.exec(apply::suspect_statement(opposite, table, kRogueSuspicion));
    }
  });
  for (const auto& [table, changes] : found_) {
    shared_.hooks.rogue(table, changes);
    shared_.status.with([n = changes](LinkStatus& status) { status.rogue_changes += n; });
    untold_[table] += changes;
  }
  found_.clear();
  if (std::chrono::steady_clock::now() - told_ < kTellInterval) {
    return;
  }
  told_ = std::chrono::steady_clock::now();
  for (const auto& [table, changes] : untold_) {
    shared_.events.record(
        "rogue",
        fmt::format("{} changes to {} on the {}, where it is a replica, are not applied: "
                    "somebody wrote past its guard; the newest in transaction {}, committed at {}",
                    changes, table.full(), to_string(source_side(shared_.name())), part.xid,
                    to_string(part.commit_lsn)));
  }
  untold_.clear();
  shared_.events.store(target_);
}

}  // namespace repld::link
