#include "sim/fake_target.h"

#include <algorithm>

namespace repld::sim {

using Command = apply::BatchPort::Command;

namespace {

constexpr const char* kBlockFailed = "25P02";
constexpr const char* kNotOurs = "RP001";
constexpr const char* kNoSavepoint = "3B001";
constexpr const char* kDeferred = "23503";

}  // namespace

FakeTarget::FakeTarget(uint64_t seed, Lsn start, OnCommit on_commit)
    : random_(seed), on_commit_(std::move(on_commit)) {
  TargetState first;
  first.lsn = written_;
  first.progress = start;
  flushed_.push_back({0, std::move(first)});
}

Lsn FakeTarget::claim() {
  execute(random_.below(inbox_.size() + 1));
  end_session();
  written_ += 16;
  flush(100);
  return current().progress;
}

void FakeTarget::end_session() {
  inbox_.clear();
  outbox_.clear();
  block_ = Block::none;
  skipping_ = synchronous_ = false;
  savepoints_.clear();
  next_failure_.clear();
  flush_fails_ = false;
}

std::optional<TargetAnswer> FakeTarget::next_answer() {
  if (outbox_.empty()) {
    return std::nullopt;
  }
  TargetAnswer answer = std::move(outbox_.front());
  outbox_.pop_front();
  return answer;
}

void FakeTarget::execute(size_t commands) {
  for (; commands > 0 && !inbox_.empty(); --commands) {
    const TargetCommand command = std::move(inbox_.front());
    inbox_.pop_front();
    outbox_.push_back(run_one(command));
  }
}

TargetAnswer FakeTarget::run_one(const TargetCommand& command) {
  TargetAnswer answer;
  if (command.kind == TargetCommand::Kind::sync) {
    skipping_ = false;
    answer.kind = TargetAnswer::Kind::sync;
    return answer;
  }
  if (skipping_) {
    answer.kind = TargetAnswer::Kind::skipped;
    return answer;
  }
  const bool ends_block =
      command.kind == TargetCommand::Kind::plain &&
      (command.plain == Command::rollback || command.plain == Command::rollback_to_savepoint ||
       command.plain == Command::commit);
  if (block_ == Block::failed && !ends_block) {
    return fail(kBlockFailed);
  }
  if (command.kind == TargetCommand::Kind::plain) {
    return run_plain(command.plain);
  }
  REPLD_ASSERT(block_ == Block::open);
  const bool refusal = next_failure_.starts_with("23");
  if (!next_failure_.empty() && (command.kind == TargetCommand::Kind::work || !refusal)) {
    return fail(std::exchange(next_failure_, ""));
  }
  if (command.kind == TargetCommand::Kind::advance) {
    if (open_.progress != command.from) {
      return fail(kNotOurs);
    }
    open_.progress = command.to;
    return answer;
  }
  const Outcome outcome = run(command.work, allowed_, open_.tables, random_);
  if (!outcome.sqlstate.empty()) {
    return fail(outcome.sqlstate);
  }
  answer.found = outcome.found;
  if (outcome.queued) {
    open_.refetch.insert({command.work.table, *outcome.queued});
  }
  if (command.work.strictness == Strictness::mending && command.work.kind != ChangeKind::truncate) {
    const bool inserts = command.work.kind == ChangeKind::insert;
    mended_.unexpected += inserts && outcome.found ? 1 : 0;
    mended_.missing += !inserts && !outcome.found ? 1 : 0;
  }
  return answer;
}

TargetAnswer FakeTarget::fail(std::string sqlstate) {
  skipping_ = true;
  if (block_ == Block::open) {
    block_ = Block::failed;
  }
  TargetAnswer answer;
  answer.kind = TargetAnswer::Kind::error;
  answer.sqlstate = std::move(sqlstate);
  return answer;
}

TargetAnswer FakeTarget::run_plain(Command command) {
  TargetAnswer answer;
  switch (command) {
    case Command::begin:
      if (block_ == Block::open) {
        return answer;  // a warning only
      }
      block_ = Block::open;
      open_ = current();
      mended_ = {};
      synchronous_ = false;
      break;
    case Command::commit_synchronously: synchronous_ = true; break;
    case Command::defer_constraints: break;
    case Command::savepoint: savepoints_.emplace_back(open_, mended_); break;
    case Command::release_savepoint: savepoints_.pop_back(); break;
    case Command::rollback_to_savepoint:
      if (savepoints_.empty()) {
        return fail(kNoSavepoint);
      }
      std::tie(open_, mended_) = savepoints_.back();
      block_ = Block::open;
      break;
    case Command::commit: return commit();
    case Command::ask_position:
      answer.written = Lsn{written_};
      answer.flushed = Lsn{flushed_lsn_};
      break;
    case Command::rollback:
      block_ = Block::none;
      savepoints_.clear();
      break;
  }
  return answer;
}

TargetAnswer FakeTarget::commit() {
  TargetAnswer answer;
  const Block block = std::exchange(block_, Block::none);
  savepoints_.clear();
  if (block != Block::open) {
    return answer;  // its tag is ROLLBACK
  }
  if (!next_failure_.empty()) {
    return fail(std::exchange(next_failure_, ""));
  }
  if (synchronous_ && std::exchange(flush_fails_, false)) {
    return fail(kDeferred);
  }
  if (!may_commit(open_.tables, allowed_)) {
    return fail(kDeferred);
  }
  answer.committed = true;
  append(open_, true);
  if (synchronous_) {
    flush(100);
  }
  return answer;
}

void FakeTarget::append(TargetState next, bool ours) {
  written_ += 1 + random_.below(100);
  next.lsn = written_;
  TargetCommit commit{current(), next, ours, ours ? mended_ : apply::Drift{}};
  on_commit_(commit);
  unflushed_.push_back(std::move(next));
  written_ += random_.below(20);
}

bool FakeTarget::edit(const std::function<void(TargetState&)>& change) {
  if (block_ == Block::open) {
    return false;
  }
  TargetState next = current();
  change(next);
  append(std::move(next), false);
  return true;
}

void FakeTarget::note_time(int64_t now_us) { now_us_ = now_us; }

void FakeTarget::flush(uint64_t percent) {
  flushed_lsn_ += (written_ - flushed_lsn_) * percent / 100;
  while (!unflushed_.empty() && unflushed_.front().lsn <= flushed_lsn_) {
    flushed_.push_back({now_us_, std::move(unflushed_.front())});
    unflushed_.pop_front();
  }
}

void FakeTarget::crash() {
  end_session();
  unflushed_.clear();
  written_ = flushed_lsn_;
}

void FakeTarget::fail_over(int64_t not_before_us) {
  crash();
  while (flushed_.size() > 1 && flushed_.back().at_us > not_before_us && random_.chance(80)) {
    flushed_.pop_back();
  }
  // The other server's WAL goes its own way.
  written_ = flushed_lsn_ = flushed_.back().state.lsn;
}

}  // namespace repld::sim
