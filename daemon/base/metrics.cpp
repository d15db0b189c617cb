#include "base/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>

namespace repld {

namespace {

const prometheus::Histogram::BucketBoundaries kRowBuckets = {1,     10,     100,    1'000,
                                                             5'000, 20'000, 100'000};
const prometheus::Histogram::BucketBoundaries kSecondBuckets = {0.001, 0.005, 0.02, 0.05, 0.1,
                                                                0.25,  0.5,   1,    5,    30};

constexpr LinkState kStates[] = {LinkState::starting,  LinkState::setting_up, LinkState::copying,
                                 LinkState::streaming, LinkState::retrying,   LinkState::paused,
                                 LinkState::slot_lost, LinkState::stopped};
constexpr const char* kSlotStatuses[] = {"reserved", "extended", "unreserved", "lost", "missing"};

double number(Lsn lsn) { return static_cast<double>(static_cast<uint64_t>(lsn)); }

}  // namespace

Metrics::Gauges& Metrics::gauges(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
}

Metrics::Counters& Metrics::counters(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
}

// A registry gives out again what it has of a name.
Metrics::Metrics(std::string link, const Metrics* all)
    : link_(std::move(link)),
      registry_(all == nullptr ? std::make_shared<prometheus::Registry>() : all->registry_),
      info_(gauges("repld_info", "Version of the running daemon; always 1.")),
      link_up_(gauges("repld_link_up", "1 while the link streams, else 0.")),
      link_state_(gauges("repld_link_state", "1 for the state the link is in, 0 for the others.")),
      lag_bytes_(gauges("repld_lag_bytes", "WAL of the source that the target lacks.")),
      lag_seconds_(gauges("repld_lag_seconds",
                          "Age, by the source's clock, of the oldest change the target lacks.")),
      received_lsn_(gauges("repld_received_lsn_bytes", "Position the stream was read to.")),
      applied_lsn_(gauges("repld_applied_lsn_bytes", "Position committed on the target.")),
      durable_lsn_(gauges("repld_durable_lsn_bytes", "Position flushed on the target.")),
      slot_retained_(
          gauges("repld_slot_retained_bytes", "WAL that the source keeps for the slot.")),
      slot_safe_(gauges("repld_slot_safe_bytes",
                        "WAL that may still be written before the slot is lost.")),
      slot_status_(gauges("repld_slot_status", "1 for the slot's wal_status, 0 for the others.")),
      table_rows_copied_(gauges("repld_table_copied_rows", "Rows brought by the first copy.")),
      copy_remaining_(gauges("repld_copy_remaining_bytes", "Estimate of what is left to copy.")),
      table_rows_(gauges("repld_table_rows", "Rows of a table at its last proof, by side.")),
      table_drift_rows_(gauges("repld_table_drift_rows",
                               "Rows that differed at the last proof: missing on the target, extra "
                               "there, or different.")),
      table_checksum_match_(gauges("repld_table_checksum_match",
                                   "Whether the last proof found both sides equal; absent while "
                                   "nothing is proven.")),
      table_verified_at_(gauges("repld_table_verified_timestamp_seconds",
                                "When a table was last compared, Unix time.")),
      primary_(gauges("repld_primary", "1 for the side on which a group is written.")),
      cutover_state_(gauges("repld_cutover_state",
                            "1 for the state of the group's cutover that runs or ran last.")),
      cutover_freeze_(gauges("repld_cutover_freeze_seconds",
                             "How long writers waited in the last cutover or rollback.")),
      applied_transactions_(
          counters("repld_applied_transactions_total", "Source transactions applied.")),
      applied_rows_(counters("repld_applied_rows_total", "Row changes applied.")),
      missing_rows_(counters("repld_missing_rows_total",
                             "Changes that did not find their row on the target.")),
      unexpected_rows_(
          counters("repld_unexpected_rows_total", "Inserts that found their row there already.")),
      rogue_changes_(counters("repld_rogue_changes_total",
                              "Changes that somebody made to a replica past its guard; left out.")),
      copy_bytes_(counters("repld_copy_bytes_total", "Bytes brought by the first copy.")),
      reconnects_(counters("repld_reconnects_total", "Connections made again after a loss.")),
      errors_(counters("repld_errors_total", "Errors that ended an attempt of a link.")),
      batch_rows_(prometheus::BuildHistogram()
                      .Name("repld_apply_batch_rows")
                      .Help("Rows of one target transaction.")
                      .Register(*registry_)
                      .Add({{"link", link_}}, kRowBuckets)),
      batch_seconds_(prometheus::BuildHistogram()
                         .Name("repld_apply_batch_seconds")
                         .Help("From sending a target transaction to its answer.")
                         .Register(*registry_)
                         .Add({{"link", link_}}, kSecondBuckets)) {}

void Metrics::rows_applied(const std::string& table, int64_t inserted, int64_t updated,
                           int64_t deleted) {
  const auto add = [&](const char* op, int64_t rows) {
    if (rows > 0) {
      applied_rows_.Add({{"link", link_}, {"table", table}, {"op", op}})
          .Increment(static_cast<double>(rows));
    }
  };
  add("insert", inserted);
  add("update", updated);
  add("delete", deleted);
}

void Metrics::batch_applied(int64_t transactions, int64_t rows, double seconds) {
  applied_transactions_.Add({{"link", link_}}).Increment(static_cast<double>(transactions));
  if (rows > 0) {
    batch_rows_.Observe(static_cast<double>(rows));
    batch_seconds_.Observe(seconds);
  }
}

void Metrics::rows_drifted(const std::string& table, int64_t missing, int64_t unexpected) {
  const prometheus::Labels labels = {{"link", link_}, {"table", table}};
  if (missing > 0) {
    missing_rows_.Add(labels).Increment(static_cast<double>(missing));
  }
  if (unexpected > 0) {
    unexpected_rows_.Add(labels).Increment(static_cast<double>(unexpected));
  }
}

void Metrics::rogue_changes(const std::string& table, int64_t changes) {
  rogue_changes_.Add({{"link", link_}, {"table", table}}).Increment(static_cast<double>(changes));
}

void Metrics::bytes_copied(const std::string& table, int64_t bytes) {
  copy_bytes_.Add({{"table", table}}).Increment(static_cast<double>(bytes));
}

void Metrics::failed(const Error& error) {
  errors_.Add({{"kind", to_string(error.kind())}}).Increment();
}

void Metrics::reconnected(Side side) { reconnects_.Add({{"side", to_string(side)}}).Increment(); }

void Metrics::set_from(const Status& status) {
  info_.Add({{"version", status.version}}).Set(1);
  for (const LinkStatus& link : status.links) {
    set_link(link);
  }
  for (const GroupStatus& group : status.groups) {
    for (const char* side : {"source", "target"}) {
      primary_.Add({{"group", group.name}, {"side", side}}).Set(group.primary == side ? 1 : 0);
    }
  }
}

void Metrics::set_link(const LinkStatus& link) {
  const prometheus::Labels labels = {{"link", link.name}};
  link_up_.Add(labels).Set(link.state == LinkState::streaming ? 1 : 0);
  for (const LinkState state : kStates) {
    link_state_.Add({{"link", link.name}, {"state", to_string(state)}})
        .Set(link.state == state ? 1 : 0);
  }
  lag_bytes_.Add(labels).Set(static_cast<double>(link.lag_bytes));
  lag_seconds_.Add(labels).Set(link.lag_seconds);
  received_lsn_.Add(labels).Set(number(link.received));
  applied_lsn_.Add(labels).Set(number(link.applied));
  durable_lsn_.Add(labels).Set(number(link.durable));
  slot_retained_.Add(labels).Set(static_cast<double>(link.slot.retained_bytes));
  prometheus::Gauge& safe = slot_safe_.Add(labels);
  if (link.slot.safe_bytes) {
    safe.Set(static_cast<double>(*link.slot.safe_bytes));
  } else {
    slot_safe_.Remove(&safe);  // no limit, no metric
  }
  const std::string wal_status = link.slot.exists ? link.slot.wal_status : "missing";
  for (const char* known : kSlotStatuses) {
    slot_status_.Add({{"link", link.name}, {"status", known}}).Set(wal_status == known ? 1 : 0);
  }
  for (const TableStatus& table : link.tables) {
    set_table(table);
  }
}

void Metrics::set_cutover(const CutoverStatus& cutover) {
  if (cutover.dry_run) {
    return;
  }
  for (int i = 0; i <= static_cast<int>(CutoverState::withdrawn); ++i) {
    const auto state = static_cast<CutoverState>(i);
    cutover_state_.Add({{"group", cutover.group}, {"state", to_string(state)}})
        .Set(cutover.state == state ? 1 : 0);
  }
  if (cutover.freeze_seconds) {
    cutover_freeze_.Add({}).Set(*cutover.freeze_seconds);
  }
}

void Metrics::set_table(const TableStatus& table) {
  const std::string name = table.schema + "." + table.name;
  const prometheus::Labels of_table = {{"table", name}};
  table_rows_copied_.Add(of_table).Set(static_cast<double>(table.rows_copied));
  const bool copying = table.state == TableState::copying;
  const int64_t left = copying ? std::max<int64_t>(table.bytes_total - table.bytes_copied, 0) : 0;
  copy_remaining_.Add(of_table).Set(static_cast<double>(left));
  prometheus::Gauge& match = table_checksum_match_.Add(of_table);
  if (!table.proof) {
    table_checksum_match_.Remove(&match);
    return;
  }
  const ProofStatus& proof = *table.proof;
  // What differed is not known to have become equal.
  if (proof.equal() && !proof.suspicion.empty()) {
    table_checksum_match_.Remove(&match);
  } else {
    match.Set(proof.equal() ? 1 : 0);
  }
  table_verified_at_.Add(of_table).Set(proof.at);
  const auto set = [&](Gauges& gauges, const char* label, const char* value, int64_t rows) {
    gauges.Add({{"table", name}, {label, value}}).Set(static_cast<double>(rows));
  };
  set(table_rows_, "side", "source", proof.rows);
  set(table_rows_, "side", "target", proof.target_rows);
  set(table_drift_rows_, "kind", "missing", proof.missing);
  set(table_drift_rows_, "kind", "extra", proof.extra);
  set(table_drift_rows_, "kind", "different", proof.different);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace repld
