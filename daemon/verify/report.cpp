#include "verify/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace repld::verify {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const KeyTexts& key) {
  Json texts = Json::array();
  for (const auto& text : key) {
    texts.push_back(text ? Json(*text) : Json(nullptr));
  }
  return texts;
}

Json json_of(const TableProof& proof, bool keys) {
  Json table = {
      {"table", proof.table.full()}, {"rows", proof.rows},      {"target_rows", proof.target_rows},
      {"missing", proof.missing},    {"extra", proof.extra},    {"different", proof.different},
      {"unproven", proof.unproven},  {"seconds", proof.seconds}};
  if (keys) {
    table["key"] = proof.key;
    table["keys"] = Json::array();
    for (const DifferingRow& row : proof.listed) {
      table["keys"].push_back({{"kind", to_string(row.kind)}, {"key", json_of(row.key)}});
    }
  }
  return table;
}

}  // namespace

std::string report_json(const ProofReport& report, bool keys) {
  Json tables = Json::array();
  for (const TableProof& proof : report.tables) {
    tables.push_back(json_of(proof, keys));
  }
  Json repaired = Json::array();
  for (const MendedTable& mended : report.mended) {
    repaired.push_back(
        {{"table", mended.table.full()}, {"removed", mended.removed}, {"written", mended.written}});
  }
  Json sequences = Json::array();
  for (const SequenceGap& gap : report.sequences) {
    sequences.push_back({{"sequence", gap.sequence.full()},
                         {"behind", gap.behind ? Json(*gap.behind) : Json(nullptr)}});
  }
  Json orphans = Json::array();
  for (const Orphans& each : report.orphans) {
    orphans.push_back({{"table", each.table.full()},
                       {"foreign_key", each.foreign_key},
                       {"rows", each.rows ? Json(*each.rows) : Json(nullptr)},
                       {"unknown", each.unknown}});
  }
  const bool equal =
      !report.tables.empty() && std::all_of(report.tables.begin(), report.tables.end(),
                                            [](const TableProof& proof) { return proof.equal(); });
  const Json body = {{"equal", equal},
                     {"tables", std::move(tables)},
                     {"repaired", std::move(repaired)},
                     {"sequences", std::move(sequences)},
                     {"orphans", std::move(orphans)},
                     {"not_looked_around", report.not_looked_around},
                     {"fences", report.fences},
                     {"retakes", report.retakes},
                     {"pause_seconds_max", report.pause_seconds_max}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace repld::verify
