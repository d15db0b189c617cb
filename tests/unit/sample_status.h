// A status with a value in every field, for the tests of what shows it.
#pragma once

#include "core/status.h"

namespace repld::testing {

inline constexpr LinkState kLinkStates[] = {
    LinkState::starting, LinkState::setting_up, LinkState::copying,   LinkState::streaming,
    LinkState::retrying, LinkState::paused,     LinkState::slot_lost, LinkState::stopped};
inline constexpr TableState kTableStates[] = {TableState::pending, TableState::copying,
                                              TableState::copied, TableState::refused};

inline TableStatus sample_table() {
  TableStatus table;
  table.schema = "public";
  table.name = "clients";
  table.group = "salon";
  table.state = TableState::copying;
  table.rows_copied = 40;
  table.bytes_copied = 1'000;
  table.bytes_total = 4'000;
  table.missing_rows = 3;
  table.copied_at = 1'700'000'002.5;
  return table;
}

inline LinkStatus sample_link() {
  LinkStatus link;
  link.name = "main";
  link.state = LinkState::streaming;
  link.received = Lsn{0x5'0000'0040};
  link.applied = Lsn{0x5'0000'0030};
  link.durable = Lsn{0x5'0000'0020};
  link.confirmed = Lsn{0x5'0000'0010};
  link.source = Lsn{0x5'0000'0050};
  link.lag_bytes = 48;
  link.lag_seconds = 1.5;
  link.applied_transactions = 7;
  link.applied_rows = 21;
  link.rogue_changes = 4;
  link.reconnects_source = 1;
  link.reconnects_target = 2;
  link.source_up = true;
  link.target_up = true;
  link.copied = true;
  link.slot.name = "repld_main";
  link.slot.exists = true;
  link.slot.active = true;
  link.slot.wal_status = "reserved";
  link.slot.safe_bytes = 9'000'000;
  link.slot.retained_bytes = 5'000'000;
  link.tables = {sample_table()};
  return link;
}

inline ErrorStatus sample_error() {
  return {"conflict", "the target refused a row", "in a batch of 3",  "Look at it.",
          "23505",    "public.clients",           Lsn{0x5'0000'0035}, 1'700'000'001};
}

inline Status sample_status() {
  Status status;
  status.version = "1.2.3";
  status.started_at = 1'700'000'000;
  status.at = 1'700'000'003;
  status.http_listen = "127.0.0.1:9847";
  status.links = {sample_link()};
  status.groups = {{"salon", "source"}, {"rest", "target"}};
  return status;
}

}  // namespace repld::testing
