// Every metric of the daemon, with its name and help text in one place.
//
// Counters are moved where things happen, from any thread; gauges are set from the published
// status. Names are part of the interface: dashboards and alerts rely on them.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>

#include "core/config.h"
#include "core/cutover_status.h"
#include "core/error.h"
#include "core/status.h"

namespace repld {

class Metrics {
 public:
  // `all`: null, or where those of this link are shown beside others.
  explicit Metrics(std::string link, const Metrics* all = nullptr);

  void rows_applied(const std::string& table, int64_t inserted, int64_t updated, int64_t deleted);
  void batch_applied(int64_t transactions, int64_t rows, double seconds);
  void rows_drifted(const std::string& table, int64_t missing, int64_t unexpected);
  void rogue_changes(const std::string& table, int64_t changes);
  void bytes_copied(const std::string& table, int64_t bytes);
  void failed(const Error& error);
  void reconnected(Side side);

  void set_from(const Status& status);
  void set_cutover(const CutoverStatus& cutover);
  // Exposition format, PostgreSQL's positions as numbers.
  std::string text() const;

 private:
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Counters = prometheus::Family<prometheus::Counter>;

  Gauges& gauges(const char* name, const char* help);
  Counters& counters(const char* name, const char* help);
  void set_link(const LinkStatus& link);
  void set_table(const TableStatus& table);

  const std::string link_;
  std::shared_ptr<prometheus::Registry> registry_;
  Gauges& info_;
  Gauges& link_up_;
  Gauges& link_state_;
  Gauges& lag_bytes_;
  Gauges& lag_seconds_;
  Gauges& received_lsn_;
  Gauges& applied_lsn_;
  Gauges& durable_lsn_;
  Gauges& slot_retained_;
  Gauges& slot_safe_;
  Gauges& slot_status_;
  Gauges& table_rows_copied_;
  Gauges& copy_remaining_;
  Gauges& table_rows_;
  Gauges& table_drift_rows_;
  Gauges& table_checksum_match_;
  Gauges& table_verified_at_;
  Gauges& primary_;
  Gauges& cutover_state_;
  Gauges& cutover_freeze_;
  Counters& applied_transactions_;
  Counters& applied_rows_;
  Counters& missing_rows_;
  Counters& unexpected_rows_;
  Counters& rogue_changes_;
  Counters& copy_bytes_;
  Counters& reconnects_;
  Counters& errors_;
  prometheus::Histogram& batch_rows_;
  prometheus::Histogram& batch_seconds_;
};

}  // namespace repld
