#include "core/status.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace repld {

using Json = nlohmann::ordered_json;

const char* to_string(LinkState state) {
  switch (state) {
    case LinkState::starting: return "starting";
    case LinkState::setting_up: return "setting_up";
    case LinkState::copying: return "copying";
    case LinkState::streaming: return "streaming";
    case LinkState::retrying: return "retrying";
    case LinkState::paused: return "paused";
    case LinkState::slot_lost: return "slot_lost";
    case LinkState::stopped: return "stopped";
  }
  return "starting";
}

const char* to_string(TableState state) {
  switch (state) {
    case TableState::pending: return "pending";
    case TableState::copying: return "copying";
    case TableState::copied: return "copied";
    case TableState::refused: return "refused";
  }
  return "pending";
}

namespace {

// A name in another encoding shows as U+FFFD: nobody is kept from reading the status by it.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const ErrorStatus& error) {
  return {{"kind", error.kind},
          {"message", error.message},
          {"detail", error.detail},
          {"hint", error.hint},
          {"sqlstate", error.sqlstate},
          {"table", error.table},
          {"transaction", error.transaction == Lsn::invalid ? "" : to_string(error.transaction)},
          {"at", error.at}};
}

Json json_of(const ProofStatus& proof) {
  return {{"at", proof.at},
          {"equal", proof.equal()},
          {"rows", proof.rows},
          {"target_rows", proof.target_rows},
          {"missing", proof.missing},
          {"extra", proof.extra},
          {"different", proof.different},
          {"unproven", proof.suspicion}};
}

Json json_of(const TableStatus& table) {
  return {{"schema", table.schema},
          {"name", table.name},
          {"group", table.group},
          {"state", to_string(table.state)},
          {"rows_copied", table.rows_copied},
          {"bytes_copied", table.bytes_copied},
          {"bytes_total", table.bytes_total},
          {"missing_rows", table.missing_rows},
          {"unexpected_rows", table.unexpected_rows},
          {"copied_at", table.copied_at},
          {"reason", table.reason},
          {"proof", table.proof ? json_of(*table.proof) : Json(nullptr)}};
}

Json json_of(const SlotStatus& slot) {
  return {{"name", slot.name},
          {"exists", slot.exists},
          {"active", slot.active},
          {"wal_status", slot.wal_status},
          {"safe_bytes", slot.safe_bytes ? Json(*slot.safe_bytes) : Json(nullptr)},
          {"retained_bytes", slot.retained_bytes}};
}

Json json_of(const LinkStatus& link) {
  Json tables = Json::array();
  for (const TableStatus& table : link.tables) {
    tables.push_back(json_of(table));
  }
  return {{"name", link.name},
          {"state", to_string(link.state)},
          {"paused_by_operator", link.paused_by_operator},
          {"received", to_string(link.received)},
          {"applied", to_string(link.applied)},
          {"durable", to_string(link.durable)},
          {"confirmed", to_string(link.confirmed)},
          {"source", to_string(link.source)},
          {"lag_bytes", link.lag_bytes},
          {"lag_seconds", link.lag_seconds},
          {"applied_transactions", link.applied_transactions},
          {"applied_rows", link.applied_rows},
          {"rogue_changes", link.rogue_changes},
          {"reconnects_source", link.reconnects_source},
          {"reconnects_target", link.reconnects_target},
          {"source_up", link.source_up},
          {"target_up", link.target_up},
          {"copied", link.copied},
          {"incomplete", link.incomplete},
          {"slot", json_of(link.slot)},
          {"error", link.error ? json_of(*link.error) : Json(nullptr)},
          {"tables", std::move(tables)}};
}

}  // namespace

ErrorStatus error_status(const Error& error, double at) {
  ErrorStatus status;
  status.kind = to_string(error.kind());
  status.message = error.what();
  status.detail = error.detail();
  status.hint = error.hint();
  status.sqlstate = error.sqlstate();
  status.table = error.table();
  status.transaction = error.transaction();
  status.at = at;
  return status;
}

std::vector<std::string> unready_reasons(const Status& status, double max_lag_seconds) {
  std::vector<std::string> reasons;
  for (const LinkStatus& link : status.links) {
    if (link.state != LinkState::streaming) {
      std::string reason = fmt::format("link {} is {}", link.name, to_string(link.state));
      if (link.error && !link.error->table.empty()) {
        reason += fmt::format(" because of table {}", link.error->table);
      }
      reasons.push_back(std::move(reason));
    } else if (!link.copied) {
      reasons.push_back(fmt::format("link {} is still copying", link.name));
      for (const TableStatus& table : link.tables) {
        if (table.state == TableState::refused) {
          reasons.back() += fmt::format("; table {}.{} is held back", table.schema, table.name);
        }
      }
    } else if (link.incomplete) {
      reasons.push_back(fmt::format("link {} still brings rows that were missing", link.name));
    } else if (link.lag_seconds > max_lag_seconds) {
      reasons.push_back(fmt::format("link {} lags {:.1f} s, allowed are {:.1f} s", link.name,
                                    link.lag_seconds, max_lag_seconds));
    }
  }
  return reasons;
}

std::optional<std::string> primary_json(const Status& status) {
  Json sides = Json::object();
  for (const GroupStatus& group : status.groups) {
    if (group.primary == "unknown") {
      return std::nullopt;
    }
    sides[group.name] = group.primary;
  }
  return text_of(sides);
}

std::string status_json(const Status& status) {
  Json links = Json::array();
  for (const LinkStatus& link : status.links) {
    links.push_back(json_of(link));
  }
  Json groups = Json::array();
  for (const GroupStatus& group : status.groups) {
    groups.push_back({{"name", group.name}, {"primary", group.primary}});
  }
  const Json whole = {{"version", status.version}, {"started_at", status.started_at},
                      {"at", status.at},           {"http_listen", status.http_listen},
                      {"links", std::move(links)}, {"groups", std::move(groups)}};
  return text_of(whole);
}

std::string events_json(const std::vector<Event>& events) {
  Json list = Json::array();
  for (const Event& event : events) {
    list.push_back({{"id", event.id},
                    {"at", event.at},
                    {"link", event.link},
                    {"kind", event.kind},
                    {"message", event.message}});
  }
  return text_of({{"events", std::move(list)}});
}

}  // namespace repld
