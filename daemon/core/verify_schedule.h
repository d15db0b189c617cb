// Which tables are proven by the clock, and when.
//
// A table is due when its own time has passed since somebody last looked at it, this process or,
// as its proof says, one before; a copy that is younger than that look, at once. Whatever will be
// due soon is taken along, so that tables which were proven one after the other at one fence do
// not ask for a fence each from then on.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config.h"
#include "core/status.h"

namespace repld {

// Time between two proofs of a table, named schema.table; 0: only on demand.
int64_t verify_every_ms(const VerifyConfig& config, const std::string& table);

class VerifySchedule {
 public:
  explicit VerifySchedule(VerifyConfig config) : config_(std::move(config)) {}

  const VerifyConfig& config() const { return config_; }
  void set(VerifyConfig config) { config_ = std::move(config); }

  // When the look began. What came of it does not matter: what cannot be proven is not tried again
  // sooner.
  void looked_at(const std::string& table, double now) { looked_at_[table] = now; }

  struct Due {
    std::vector<std::string> tables;                        // as schema.table
    double next = std::numeric_limits<double>::infinity();  // when `tables` is empty
  };
  // Times are seconds, of one clock with looked_at(). Tables that are not copied are not due.
  Due due(const std::vector<TableStatus>& tables, double now) const;
  // Those whose proof has been overtaken, unless they are proven on demand only.
  std::vector<std::string> overtaken(const std::vector<TableStatus>& tables) const;

 private:
  std::optional<double> last_look(const TableStatus& table, const std::string& name,
                                  double now) const;

  VerifyConfig config_;
  std::map<std::string, double> looked_at_;
};

}  // namespace repld
