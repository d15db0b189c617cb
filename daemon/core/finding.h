// What the preflight has to say: one finding a fact, with what mends it.
//
// An error stands in the way of replicating. A warning does not, but matters later (at the cutover,
// after an outage) or is something that a person should know to be so on purpose.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace repld {

enum class Severity { error, warning, ok };
const char* to_string(Severity severity);

struct Finding {
  Severity severity = Severity::ok;
  std::string check;  // which question was asked: "wal_level", "table"
  Side side = Side::source;
  std::string what;
  std::string why;
  std::string sql;     // mends it when run on `side` as `role`; empty: SQL cannot
  std::string role;    // who has to run it
  std::string action;  // what a person has to do or decide, with or instead of the SQL
};

// Of the timing of one side's queries, in milliseconds.
struct Latency {
  Side side = Side::source;
  double p50_ms = 0;
  double p99_ms = 0;
};
Latency latency_of(Side side, std::vector<double> samples_ms);

struct Report {
  std::vector<Finding> findings;
  std::vector<Latency> latencies;
  std::vector<std::vector<std::string>> closed_groups;  // tables that foreign keys hold together
  std::string ddl;                                      // makes the target fit; empty: it does
};

bool has_error(const Report& report);
// {"ready":..,"findings":[..],"latency":{..},"closed_groups":[..],"ddl":".."}
std::string report_json(const Report& report);

}  // namespace repld
