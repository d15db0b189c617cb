#include "apply/applier.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"

namespace repld::apply {

namespace {

constexpr size_t kInFlightMax = 4;
constexpr std::chrono::seconds kIdleRowInterval{10};
constexpr std::chrono::milliseconds kPromptRowInterval{250};
constexpr std::chrono::milliseconds kAskInterval{50};
constexpr std::chrono::milliseconds kIdleWait{1000};
constexpr std::chrono::seconds kForceFlushAfter{1};
// The margin counts while the target answers.
constexpr std::chrono::milliseconds kSeenInterval{1000};
constexpr int64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01 in Unix time

int64_t milliseconds(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

Applier::Applier(BatchPort& port, Lsn from, const ApplierOptions& options, NextPart next_part,
                 Synchronized<Flow>& flow, Wakeup& wakeup, Wakeup& reader, ApplyObserver observer)
    : port_(port),
      options_(options),
      pace_(options.batch),
      next_part_(std::move(next_part)),
      flow_(flow),
      wakeup_(wakeup),
      reader_(reader),
      observer_(std::move(observer)),
      sent_(from),
      applied_(from),
      row_moved_at_(port_.now()),
      asked_at_(port_.now()),
      committed_at_(port_.now()) {
  port_.before_ddl([this] { release_locks(); });
  flow_.with([this](Flow& flow) { flow.target_seen_ms = milliseconds(port_.answered_at()); });
}

void Applier::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wakeup_.drain();
    port_.receive();
    settle();
    track_durable();
    if (fill(stop) || move_idle_position()) {
      continue;
    }
    const auto timeout = marks_.empty() ? kIdleWait : kAskInterval;
    port_.wait(wakeup_, timeout);
  }
  finish();
}

bool Applier::fill(const std::stop_token& stop) {
  bool sent = false;
  while (in_flight_.size() < kInFlightMax) {
    if (large_) {
      TransactionPart first = std::move(*large_);
      large_.reset();
      apply_large(std::move(first), stop);
      return true;
    }
    if (held_) {
      settle_all();
    }
    Batch batch = next_batch();
    if (batch.parts.empty() && held_) {
      continue;
    }
    if (batch.parts.empty()) {
      return sent || large_;
    }
    send(std::move(batch));
    sent = true;
  }
  return sent;
}

Batch Applier::next_batch() {
  Batch batch;
  batch.from = sent_;
  while (!large_ && !batch.full(pace_.limits())) {
    std::optional<TransactionPart> part = held_ ? std::exchange(held_, std::nullopt) : next_part_();
    if (!part) {
      break;
    }
    if (!part->first || !part->last) {
      large_ = std::move(part);
    } else if ((batch.parts.empty() && in_flight_.empty()) || fits(*part)) {
      batch.add(std::move(*part));
    } else {
      held_ = std::move(part);
      break;
    }
  }
  return batch;
}

// What the target does not fit stops the link after all that it does fit, what is in flight
// included: it may fit the one only once it does not fit the other any more (a column that is
// renamed).
bool Applier::fits(const TransactionPart& part) {
  try {
    port_.map(part);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::connect) {
      throw;
    }
    return false;
  }
}

void Applier::send(Batch batch) {
  // What comes behind it in the batch is known to fit.
  if (!batch.parts.empty()) {
    map(batch.parts.front());
  }
  sent_ = batch.to;
  in_flight_.push_back(
      port_.send(std::move(batch), options_.strictness, BatchPort::Commit::with_changes));
}

void Applier::settle() {
  while (!in_flight_.empty() && in_flight_.front()->finished) {
    const InFlightPtr front = in_flight_.front();
    if (!front->committed) {
      recover();
      continue;
    }
    in_flight_.pop_front();
    committed(*front, front->batch.parts.size());
    if (front->failure && front->batch.parts.empty()) {
      throw Error(*front->failure);
    }
    if (front->failure) {
      refuse(*front, front->batch.parts[front->failed_part]);
    }
  }
}

void Applier::commit_held(const InFlightPtr& in_flight) {
  if (options_.strictness == Strictness::exact) {
    port_.send_suspicions(in_flight);
  }
  port_.send_commit(in_flight);
  port_.receive_all();
  if (!in_flight->failure && !in_flight->committed) {
    throw Error(ErrorKind::connect, "the target rolled a batch back without saying why");
  }
}

void Applier::settle_all() {
  while (!in_flight_.empty()) {
    port_.receive_all();
    settle();
  }
}

void Applier::apply_large(TransactionPart first, const std::stop_token& stop) {
  settle_all();
  map(first);
  const Lsn from = sent_;
  const auto in_flight = port_.send_begin(from);
  in_large_ = true;
  TransactionPart part = std::move(first);
  uint64_t parts = 1;
  apply_part(in_flight, part);
  while (!part.last) {
    failpoint("apply.between_parts");
    std::optional<TransactionPart> next = await_part(stop);
    if (!next) {
      roll_back();
      in_large_ = false;
      counted_ = {};
      counted_index_.clear();
      return;
    }
    part = std::move(*next);
    apply_part(in_flight, part);
    ++parts;
  }
  port_.send_advance(in_flight, from, part.end_lsn);
  commit_held(in_flight);
  if (in_flight->failure) {
    roll_back();
    refuse(*in_flight, part);
  }
  in_large_ = false;
  sent_ = part.end_lsn;
  commit_time_us_ = part.commit_time_us + kPostgresEpochUs;
  committed(*in_flight, parts);
}

void Applier::apply_part(const InFlightPtr& in_flight, const TransactionPart& part) {
  map(part);
  if (restart_) {
    throw Error(ErrorKind::connect, "the target was altered amid a large transaction")
        .detail("the transaction is applied again from its start")
        .table(part.changes.empty() || !part.changes.front().relation
                   ? ""
                   : part.changes.front().relation->full_name());
  }
  port_.send_part(in_flight, part, options_.strictness);
  port_.receive_all();
  if (in_flight->failure && worth_mending(*in_flight)) {
    port_.send_rollback_to_part(in_flight);
    port_.send_part(in_flight, part, Strictness::mending);
    port_.receive_all();
  }
  if (in_flight->failure) {
    roll_back();
    refuse(*in_flight, part);
  }
  count(part);
}

std::optional<TransactionPart> Applier::await_part(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wakeup_.drain();
    if (std::optional<TransactionPart> part = next_part_()) {
      return part;
    }
    port_.wait(wakeup_, kIdleWait);
    port_.receive();  // notices that the target is gone
  }
  return std::nullopt;
}

void Applier::committed(const InFlight& in_flight, uint64_t parts) {
  failpoint("apply.after_commit");
  const Batch& batch = in_flight.batch;
  applied_ = batch.to;
  parts_applied_ += parts;
  row_moved_at_ = committed_at_ = port_.now();
  for (const TransactionPart& part : batch.parts) {
    commit_time_us_ = part.commit_time_us + kPostgresEpochUs;
    count(part);
  }
  // Before the position says that all has arrived.
  if (!in_flight.drift.empty()) {
    observer_.mended();
  }
  flow_.with([&](Flow& flow) {
    flow.progress.receive(applied_);
    flow.progress.apply(applied_);
    flow.flush_done = std::max(flow.flush_done, batch.flush_request);
  });
  const Lsn due = batch.synchronous ? Lsn::invalid : port_.target_written();
  if (batch.synchronous) {
    marks_.clear();
  }
  marks_.push_back({due, applied_, commit_time_us_});
  counted_.transactions = static_cast<int64_t>(std::max<size_t>(batch.parts.size(), parts > 0));
  counted_.seconds = std::chrono::duration<double>(committed_at_ - in_flight.sent_at).count();
  pace_.committed(batch, counted_.seconds);
  observer_.applied(counted_);
  counted_ = {};
  counted_index_.clear();
  if (options_.strictness == Strictness::exact) {
    for (const auto& [table, drift] : in_flight.drift) {
      observer_.drifted(table, drift);
    }
  }
}

void Applier::count(const TransactionPart& part) {
  for (const Change& change : part.changes) {
    if (change.kind == ChangeKind::truncate) {
      continue;
    }
    const auto [found, fresh] = counted_index_.try_emplace(change.relation, counted_.rows.size());
    if (fresh) {
      counted_.rows.push_back({port_.table_of(change.relation), 0, 0, 0});
    }
    AppliedRows& rows = counted_.rows[found->second];
    rows.inserted += change.kind == ChangeKind::insert;
    rows.updated += change.kind == ChangeKind::update;
    rows.deleted += change.kind == ChangeKind::remove;
  }
}

bool Applier::move_idle_position() {
  const IdlePosition idle = flow_.with([](Flow& flow) { return flow.idle; });
  if (!in_flight_.empty() || idle.after_parts != parts_applied_ || idle.lsn <= applied_) {
    return false;
  }
  if (marks_.empty()) {
    flow_.with([&](Flow& flow) { flow.caught_up = std::max(flow.caught_up, idle.lsn); });
  }
  const auto since = port_.now() - row_moved_at_;
  if (since < kIdleRowInterval && !(idle.prompt && since >= kPromptRowInterval)) {
    return false;
  }
  flow_.with([](Flow& flow) { flow.idle.prompt = false; });
  Batch batch;
  batch.from = sent_;
  batch.to = idle.lsn;
  send(std::move(batch));
  return true;
}

void Applier::track_durable() {
  std::optional<Mark> durable;
  while (!marks_.empty() && marks_.front().target <= port_.target_flushed()) {
    durable = marks_.front();
    marks_.pop_front();
  }
  uint64_t flush_wanted = 0;
  flow_.with([&](Flow& flow) {
    flow.target_seen_ms = milliseconds(port_.answered_at());
    if (durable) {
      flow.progress.make_durable(durable->source);
      flow.caught_up = std::max(flow.caught_up, durable->source);
      flow.durable_commit_us = std::max(flow.durable_commit_us, durable->commit_us);
    }
    flush_wanted = flow.flush_wanted;
  });
  if (durable) {
    reader_.notify();
  }
  // Right behind what is in flight: the fence keeps everything else until it is answered.
  if (flush_wanted > flush_sent_ && !held_ && !large_) {
    flush_sent_ = flush_wanted;
    send_flush();
  }
  if (!in_flight_.empty() || port_.owed() > 0) {
    return;
  }
  const auto now = port_.now();
  if (!marks_.empty() && now - committed_at_ >= kForceFlushAfter) {
    send_flush();
  } else if (now - asked_at_ >= (marks_.empty() ? kSeenInterval : kAskInterval)) {
    asked_at_ = now;
    port_.send_position_query();
  }
}

void Applier::send_flush() {
  Batch flush;
  flush.from = flush.to = sent_;
  flush.synchronous = true;
  flush.flush_request = flush_sent_;
  send(std::move(flush));
}

void Applier::finish() {
  while (!in_flight_.empty()) {
    port_.receive_all();
    settle();
  }
  port_.receive_all();
  if (!marks_.empty()) {
    send_flush();
    port_.receive_all();
    settle();
  }
  track_durable();
}

}  // namespace repld::apply
