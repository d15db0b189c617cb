// What speaks against a cutover before anything is touched. Reads only, on both sides.
#pragma once

#include <vector>

#include "core/finding.h"
#include "cutover/course.h"
#include "pg/session.h"

namespace repld::cutover {

struct Preflight {
  std::vector<TableName> tables;  // of the group
  int64_t generation = 0;         // of its route, as of now
  std::vector<Finding> findings;  // none with severity ok
  std::vector<std::string> plan;  // each step with the time that it is expected to take
};

// `course` says what is wanted, no tables yet.
Preflight examine(const Links& links, const Config& config, const Course& course,
                  pg::Session& old_primary, pg::Session& new_primary);

}  // namespace repld::cutover
