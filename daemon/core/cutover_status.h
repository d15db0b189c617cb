// A cutover as it runs, for whoever asks, and as it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config.h"
#include "core/cutover_fsm.h"
#include "core/finding.h"
#include "core/status.h"

namespace repld {

struct CutoverStep {
  CutoverState state = CutoverState::checking;
  double at = 0;       // Unix time it began
  double seconds = 0;  // that it took, or so far
  std::string text;    // what came of it
};

struct CutoverStatus {
  int64_t number = 0;  // of those that this process was asked for; 0: an earlier one left it
  std::string id;
  std::string group;
  Side to = Side::target;  // the new primary
  bool dry_run = false;
  bool running = true;
  CutoverState state = CutoverState::checking;
  std::vector<CutoverStep> steps;
  std::vector<Finding> findings;
  std::vector<std::string> plan;  // of a dry run: what would be done
  // From the lock on the tables to the COMMIT that closed the old primary. Absent: not yet.
  std::optional<double> freeze_seconds;
  std::optional<ErrorStatus> failure;  // what it was withdrawn for, or what is tried again
};

// null without one.
std::string cutover_json(const std::optional<CutoverStatus>& cutover);

}  // namespace repld
