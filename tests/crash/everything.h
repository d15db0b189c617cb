// The load that leaves no kind of change out that PostgreSQL can stream: see everything.sql,
// everything_changes.h, everything_writer.h and everything_courses.h.
#pragma once

#include <atomic>
#include <future>
#include <list>
#include <string>
#include <vector>

#include "everything_courses.h"
#include "support/sample_databases.h"
#include "writing.h"

namespace repld::testing {

// TOML for the daemon: memory for parts of some MB, columns it may add.
inline constexpr const char* kEverythingApply =
    "[apply]\nmemory_mb = 16\non_new_column = \"add\"\n";

void load_everything(const std::string& dsn, Load load);

// What must have happened when it ends.
std::vector<std::string> kinds_of_everything();

class Everything : public Writing {
 public:
  // `beside_a_copy`: without what starts a first copy over every time.
  Everything(const std::string& source_dsn, const std::string& target_dsn, bool beside_a_copy,
             uint64_t seed);
  ~Everything() override { stop_ = true; }  // the futures wait

  // Finishes what is under way and leaves no transaction prepared: first, since their locks would
  // keep the courses from finishing. A course that failed counts as `unexpected`, and is told.
  demo::WorkerCounts stop() override;

 private:
  const std::string source_dsn_;
  std::atomic<bool> stop_{false};
  std::list<Crew> crews_;
  std::vector<std::future<demo::WorkerCounts>> writers_;
  std::vector<std::future<demo::WorkerCounts>> courses_;
};

}  // namespace repld::testing
