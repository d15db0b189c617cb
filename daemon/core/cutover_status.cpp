#include "core/cutover_status.h"

#include <nlohmann/json.hpp>

namespace repld {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Finding& finding) {
  return {{"severity", to_string(finding.severity)},
          {"check", finding.check},
          {"side", to_string(finding.side)},
          {"what", finding.what},
          {"why", finding.why},
          {"sql", finding.sql},
          {"action", finding.action}};
}

Json json_of(const CutoverStatus& cutover) {
  Json steps = Json::array();
  for (const CutoverStep& step : cutover.steps) {
    steps.push_back({{"state", to_string(step.state)},
                     {"at", step.at},
                     {"seconds", step.seconds},
                     {"text", step.text}});
  }
  Json findings = Json::array();
  for (const Finding& finding : cutover.findings) {
    findings.push_back(json_of(finding));
  }
  Json failure = nullptr;
  if (cutover.failure) {
    failure = {{"error", cutover.failure->message},
               {"detail", cutover.failure->detail},
               {"hint", cutover.failure->hint},
               {"table", cutover.failure->table}};
  }
  return {
      {"number", cutover.number},
      {"id", cutover.id},
      {"group", cutover.group},
      {"to", to_string(cutover.to)},
      {"dry_run", cutover.dry_run},
      {"running", cutover.running},
      {"state", to_string(cutover.state)},
      {"steps", std::move(steps)},
      {"findings", std::move(findings)},
      {"plan", cutover.plan},
      {"freeze_seconds", cutover.freeze_seconds ? Json(*cutover.freeze_seconds) : Json(nullptr)},
      {"failure", std::move(failure)}};
}

}  // namespace

std::string cutover_json(const std::optional<CutoverStatus>& cutover) {
  const Json json = cutover ? json_of(*cutover) : Json(nullptr);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace repld
