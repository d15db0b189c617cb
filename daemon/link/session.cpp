#include "link/session.h"

#include <algorithm>
#include <thread>

#include "apply/pipeline.h"
#include "base/failpoint.h"
#include "link/adoption.h"
#include "link/fence.h"
#include "link/placement.h"
#include "link/published.h"
#include "link/readiness.h"
#include "link/relation_filter.h"
#include "link/renames.h"
#include "link/replicated.h"
#include "link/rogues.h"
#include "link/sequences.h"
#include "link/setup.h"
#include "link/skip.h"
#include "pg/catalog.h"
#include "pg/migrations.h"
#include "stream/slot.h"

namespace repld::link {

namespace {

constexpr int kFeedbackIntervalMaxMs = 1000;
constexpr int kFeedbackIntervalMinMs = 50;

// Several answers within wal_sender_timeout, so that a keepalive that asks for one means more
// than a slow rhythm.
int feedback_interval_ms(int wal_sender_timeout_ms) {
  if (wal_sender_timeout_ms == 0) {
    return kFeedbackIntervalMaxMs;
  }
  return std::clamp(wal_sender_timeout_ms / 4, kFeedbackIntervalMinMs, kFeedbackIntervalMaxMs);
}

std::string describe(const TableName& table, const apply::Drift& drift) {
  return fmt::format(
      "{}: {} rows that should have been there were missing, {} that should not "
      "were there; mended",
      table.full(), drift.missing, drift.unexpected);
}

apply::ApplyObserver observer_of(Shared& shared) {
  apply::ApplyObserver observer;
  observer.applied = [&shared](const apply::AppliedBatch& batch) {
    int64_t total = 0;
    for (const apply::AppliedRows& rows : batch.rows) {
      shared.hooks.rows_applied(rows.table.full(), rows.inserted, rows.updated, rows.deleted);
      total += rows.inserted + rows.updated + rows.deleted;
    }
    shared.hooks.batch_applied(batch.transactions, total, batch.seconds);
    shared.status.with([&](LinkStatus& status) {
      status.applied_transactions += batch.transactions;
      status.applied_rows += total;
    });
  };
  observer.drifted = [&shared](const TableName& table, const apply::Drift& drift) {
    shared.hooks.rows_drifted(table.full(), drift.missing, drift.unexpected);
    shared.events.record("drift", describe(table, drift));
    shared.status.with([&](LinkStatus& status) {
      if (TableStatus* shown = find_table(status, table)) {
        shown->missing_rows += drift.missing;
        shown->unexpected_rows += drift.unexpected;
      }
    });
    suspect(shared, table, kDriftSuspicion);
  };
  observer.mended = [&shared] { shared.await_healing(); };
  return observer;
}

}  // namespace

LinkSession::LinkSession(Shared& shared, Wakeup& apply_wakeup, std::stop_token stop)
    : shared_(shared), apply_wakeup_(apply_wakeup), stop_(std::move(stop)) {}

void LinkSession::run() {
  if (!own_link()) {
    return;
  }
  const Lsn from = prepare_stream();
  if (!stop_.stop_requested() && row_->publications) {
    stream_completing(from);
  } else if (!stop_.stop_requested()) {
    stream(from);
  }
}

bool LinkSession::own_link() {
  const Settings& settings = shared_.settings;
  target_ = std::make_unique<pg::Session>(settings.target);
  if (shared_.again) {
    shared_.hooks.reconnected(Side::target);
    shared_.status.with([](LinkStatus& status) { ++status.reconnects_target; });
  }
  pg::migrate(*target_);
  shared_.events.store(*target_);
  apply_ = std::make_unique<pg::PipelineConnection>(settings.target, pg::Purpose::apply);
  apply::ProgressStore progress(*apply_, shared_.name());
  const auto waiting = [this](const std::string& text) { shared_.events.record("waiting", text); };
  if (!progress.lock(settings.instance, stop_, waiting)) {
    return false;
  }
  row_ = progress.claim(settings.instance);
  if (row_) {
    const auto queued =
        target_->exec_params("select from repld.refetch where link = $1 limit 1", shared_.name());
    if (!queued.empty()) {
      shared_.await_healing();
    }
    // So that a link which waits or is paused shows its lag from where it stands.
    shared_.status.with(
        [this](LinkStatus& status) { status.applied = status.durable = row_->lsn; });
  }
  // Also where it goes no further: whoever asks where a table lives must hear of its copy.
  assume_routes();
  show_taken_tables(*target_, shared_);
  found_paused_ = row_ && row_->paused;
  return !found_paused_;
}

void LinkSession::require_same_source(const pg::SystemIdentity& source) const {
  const bool same_server = source.system_identifier == row_->system_identifier;
  if (same_server && source.timeline == row_->timeline && source.database == row_->database) {
    return;
  }
  throw Error(ErrorKind::slot_lost, "the source is not the one that was copied")
      .detail(
          "copied from system {} timeline {} database \"{}\", now connected to system {} "
          "timeline {} database \"{}\"",
          row_->system_identifier, row_->timeline, row_->database, source.system_identifier,
          source.timeline, source.database)
      .hint(
          "If this is right (an upgrade, a restore, a failover), run replctl finalize, empty "
          "the target's tables and start again, so that they are copied afresh.");
}

// A source that came back older than it was (from a copy of its disk, say) keeps its identity, and
// streams over again from positions that the target is past. Afterwards it cannot be told: what it
// wrote up to there would pass for what the target has.
void LinkSession::require_not_older(const pg::SystemIdentity& source) const {
  if (row_->lsn <= source.flushed) {
    return;
  }
  throw Error(ErrorKind::slot_lost, "the source came back older than it was")
      .detail("its WAL ends at {}, the target is at {}", to_string(source.flushed),
              to_string(row_->lsn))
      .hint(
          "What it has lost is on the target still, and what it writes now may be taken for that. "
          "Run replctl finalize, empty the target's tables and start again, so that they are "
          "copied afresh; save before what only the target has.");
}

Lsn LinkSession::prepare_stream() {
  const Settings& settings = shared_.settings;
  replication_ = std::make_unique<pg::ReplicationConnection>(settings.source);
  source_ = std::make_unique<pg::Session>(settings.source);
  if (shared_.again) {
    shared_.hooks.reconnected(Side::source);
    shared_.status.with([](LinkStatus& status) { ++status.reconnects_source; });
  }
  shared_.status.with([](LinkStatus& status) { status.source_up = status.target_up = true; });
  require_primary(*source_);
  const pg::SystemIdentity identity = replication_->identify_system();
  if (row_) {
    require_same_publications(settings.config, *row_);
    read_routes();
    if (row_->phase == apply::Phase::streaming) {
      follow_renames(*source_, *target_, shared_, row_->guard_nonce);
    }
    require_placement(*target_, settings.config);
    require_groups_kept(*target_, settings.config, *shared_.carriage.copy());
  }
  if (!row_ || row_->phase == apply::Phase::setup) {
    apply::ProgressStore progress(*apply_, shared_.name());
    read_routes();
    row_ = Setup(shared_, *source_, *target_, *replication_, progress, stop_).run(row_);
    require_same_source(identity);
  } else {
    require_same_source(identity);
    require_not_older(identity);
  }
  if (row_->publications) {
    require_published_by_others();
    require_own_slot();
  } else {
    resyncs_ = shared_.resyncs.copy().asked;
    joining_ = std::make_unique<Joining>(shared_, *row_, outsiders_);
    const bool needed = joining_->look(*source_, *target_);
    require_published();
    if (!needed) {
      joining_.reset();
    }
  }
  // We own the link, so whoever still streams from the slot is a leftover of ours.
  stream::release_slot(*source_, row_->slot_name);
  stream::require_streamable(stream::read_slot(*source_, row_->slot_name), row_->slot_name,
                             row_->lsn);
  prepare_tables();
  return row_->lsn;
}

// A publication that was altered, or is somebody else's, would stream less than the target lacks.
void LinkSession::require_published() {
  stream::Published published = joining_->expected(*target_);
  if (const auto difference = stream::find_difference(*source_, published)) {
    throw *difference;
  }
  watch(shared_, std::move(published));
}

std::vector<std::string> LinkSession::publications() const {
  return row_->publications ? *row_->publications : std::vector<std::string>{row_->slot_name};
}

stream::ReaderOptions LinkSession::reader_options() {
  const Config& config = shared_.settings.config;
  stream::ReaderOptions options;
  options.part_bytes_max = (static_cast<size_t>(config.apply.memory_mb) << 20) / 16;
  options.confirm_margin_ms = config.link.confirm_margin_ms;
  options.feedback_interval_ms = feedback_interval_ms(replication_->wal_sender_timeout_ms());
  options.echo = opposite_name(shared_.name());
  if (row_->publications) {
    const auto filter = std::make_shared<RelationFilter>(shared_.settings, adopted_, supplies_);
    options.wanted = [filter](const Relation& relation, uint32_t xid) {
      return filter->wants(relation, xid);
    };
  }
  return options;
}

int64_t LinkSession::source_now_us() {
  return source_->exec("select (extract(epoch from clock_timestamp()) * 1e6)::bigint")[0][0]
      .as<int64_t>();
}

void LinkSession::stream(Lsn from) {
  const Config& config = shared_.settings.config;
  const size_t memory = static_cast<size_t>(config.apply.memory_mb) << 20;
  const auto flow = std::make_shared<Synchronized<Flow>>(from);
  const int64_t position_us = source_now_us() - static_cast<int64_t>(row_->age_seconds * 1e6);
  flow->with([&](Flow& value) { value.durable_commit_us = position_us; });
  Wakeup reader_wakeup;
  stream::PartQueue queue(memory / 4, reader_wakeup, apply_wakeup_);

  apply_->exec("select set_config('repld.apply', $1, false)", {row_->guard_nonce});
  apply_->enter();
  Partitions partitions = this->partitions();
  NewColumns new_columns(*source_, *target_, shared_.events, config);
  apply::SchemaMap schema(*target_, shared_.name(), questions(partitions, new_columns),
                          row_->publications ? IdentityNeed::optional : IdentityNeed::required);
  // Either side ends both: the attempt's own stop, the reader's failure, the applier's failure.
  std::stop_source end;
  apply::Pipeline pipeline(*apply_, schema, shared_.name(), row_->owner, end.get_token());
  apply::ApplierOptions apply_options;
  apply_options.batch = {static_cast<size_t>(config.apply.batch_rows), memory / 8};
  apply_options.strictness = config.link.guard ? Strictness::exact : Strictness::mending;
  const auto gate = std::make_shared<FenceGate>([&] { return queue.try_pop(); }, *flow,
                                                apply_wakeup_, fresh_xid(*source_), memory / 16);
  Skip skip(shared_.skipped.copy(), shared_.events,
            [this](const std::vector<RelationPtr>& relations) { overtake_by_skip(relations); });
  Rogues rogues(shared_, shared_.carriage.copy(), *source_, *target_,
                [this](const Relation& relation) { return root_of(relation); });
  const auto next_inside = [&]() {
    std::optional<TransactionPart> part = gate->next();
    if (part) {
      if (skip.filter(*part)) {
        shared_.events.store(*target_);
        failpoint("skip.noted");
      }
      outsiders_.filter(*part, [&] { schema.forget(); });
      rogues.filter(*part);
    }
    return part;
  };
  apply::Applier applier(pipeline, from, apply_options, next_inside, *flow, apply_wakeup_,
                         reader_wakeup, observer_of(shared_));

  const stream::ReaderOptions reader_options = this->reader_options();
  replication_->start(row_->slot_name, from, publications());
  stream::Reader reader(*replication_, from, reader_options, queue, *flow, reader_wakeup,
                        apply_wakeup_);

  shared_.flow.with([&](FlowPtr& current) { current = flow; });
  shared_.status.with([&](LinkStatus& status) {
    // A target that came back older than it was is shown where it is now.
    show_positions(flow->copy().progress, status);
    status.state = LinkState::streaming;
    status.error.reset();
  });
  shared_.events.record("streaming", fmt::format("from {}", to_string(from)));
  shared_.events.store(*target_);

  const auto run = [&] { return run_both(applier, reader, reader_wakeup, end); };
  const std::exception_ptr failure = run_fenced(gate, run);
  shared_.flow.with([](FlowPtr& current) { current.reset(); });
  if (failure) {
    std::rethrow_exception(failure);
  }
}

// Whoever takes fences or joins the link does so only while `run` goes on.
std::exception_ptr LinkSession::run_fenced(const std::shared_ptr<FenceGate>& gate,
                                           const std::function<std::exception_ptr()>& run) {
  // After the gate has ended, whatever ends it: who joins may be waiting there.
  std::jthread joining;
  std::jthread sequences;
  const struct Ending {
    Shared& shared;
    FenceGate& gate;
    ~Ending() {
      gate.end();
      shared.gated.with([](Gated& current) { current = {}; });
    }
  } ending{shared_, *gate};
  shared_.gated.with([&](Gated& current) { current = {gate, row_->owner}; });
  if (joining_) {
    joining = std::jthread(
        [this](const std::stop_token& stop) { joining_->run(stop, [this] { note_armed(); }); });
  } else {
    note_armed();
  }
  sequences =
      std::jthread([this](const std::stop_token& stop) { SequenceFollower(shared_).run(stop); });
  return run();
}

std::exception_ptr LinkSession::run_both(apply::Applier& applier, stream::Reader& reader,
                                         Wakeup& reader_wakeup, std::stop_source& end) {
  const std::stop_callback on_stop(stop_, [&] { end.request_stop(); });
  const std::stop_callback on_end(end.get_token(), [&] {
    apply_wakeup_.notify();
    reader_wakeup.notify();
  });
  std::exception_ptr reader_failure;
  std::exception_ptr applier_failure;
  std::stop_source reader_end;
  std::jthread reader_thread([&] {
    try {
      reader.run(reader_end.get_token());
    } catch (...) {
      reader_failure = std::current_exception();
    }
    end.request_stop();
  });
  try {
    applier.run(end.get_token());
  } catch (...) {
    applier_failure = std::current_exception();
  }
  // The reader goes last, so that it can still confirm what the applier made durable.
  reader_end.request_stop();
  reader_wakeup.notify();
  reader_thread.join();
  // An applier that was told to stop may have given up waiting for the target.
  return reader_failure ? reader_failure : applier_failure;
}

}  // namespace repld::link
