// What the preflight has to say: one finding a fact, with what mends it.
//
// An error stands in the way of replicating. A warning does not, but matters later (at the cutover,
// after an outage) or is something that a person should know to be so on purpose.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "core/table.h"

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
  // What the SQL does to those who use the database meanwhile and afterwards: locks, rights that
  // go, rules that no longer hold. Empty: nothing, or there is none.
  std::string effect = {};
};

// In milliseconds.
struct Timing {
  double p50_ms = 0;
  double p99_ms = 0;
};
Timing timing_of(std::vector<double> samples_ms);

struct Latency {
  Side side = Side::source;
  Timing round_trip;  // of a message that asks for nothing: the way there and back
  Timing query;       // of a small query
};

// A table with its partitions.
struct TableSize {
  TableName table;
  int64_t source_bytes = 0;  // with indexes and TOAST
  int64_t target_bytes = 0;  // what it has there by now
};

// Which server and database, as whom.
struct Place {
  Side side = Side::source;
  std::string text;
};

struct Report {
  std::vector<Place> places;
  std::vector<Finding> findings;
  std::vector<Latency> latencies;
  std::vector<TableSize> sizes;                         // of the source's tables
  std::vector<std::vector<std::string>> closed_groups;  // tables that foreign keys hold together
  std::string ddl;                                      // makes the target fit; empty: it does
};

bool has_error(const Report& report);
// {"ready":..,"servers":{..},"findings":[..],"latency":{..},"sizes":{..},"closed_groups":[..],
//  "ddl":".."}
std::string report_json(const Report& report);

}  // namespace repld
