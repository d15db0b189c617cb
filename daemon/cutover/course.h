// One cutover or rollback: what moves where. A rollback is the same with the sides swapped.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/proof.h"
#include "core/table.h"
#include "link/link.h"

namespace repld::cutover {

// Of the daemon, both directions.
struct Links {
  link::Link& forward;
  link::Link& reverse;  // streams only once it was armed

  // From the old primary to the new one, and back.
  link::Link& carrier(Side to) const { return to == Side::target ? forward : reverse; }
  link::Link& back(Side to) const { return to == Side::target ? reverse : forward; }
  const pg::Server& server(Side side) const {
    const link::Settings& settings = forward.settings();
    return side == Side::source ? settings.source : settings.target;
  }
  const std::string& name() const { return forward.settings().config.link.name; }
};

inline Side other(Side side) { return side == Side::source ? Side::target : Side::source; }

struct Request {
  std::string group = "all";
  std::string id;  // to be known by; empty: one is made up
  Side to = Side::target;
  bool dry_run = false;
  bool without_reverse = false;
  int64_t max_freeze_ms = 0;
};

// What is kept of it in repld.cutover.
struct Course {
  std::string id;
  std::string link;  // of the configuration
  std::string group;
  Side to = Side::target;
  int64_t generation = 0;
  std::vector<TableName> tables;
  bool reverse = true;
  int64_t max_freeze_ms = 2500;
};

using Deadline = std::chrono::steady_clock::time_point;

// Compares tables at a fence, the quickest first, as long as there is time: a peer does it.
using Prove =
    std::function<FreezeProof(const link::Fence& fence, Deadline until, const std::stop_token&)>;
// Makes all ready for it; what the tables are made of changes no more.
using PrepareProof =
    std::function<Prove(link::Link& carrier, const std::vector<TableName>& tables)>;

}  // namespace repld::cutover
