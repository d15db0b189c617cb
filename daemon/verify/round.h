// One fence's worth of comparisons: the sessions that hold its snapshots, and the tables in them.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <vector>

#include "core/proof.h"
#include "core/table.h"
#include "link/link.h"
#include "pg/copy_connection.h"
#include "verify/compare.h"
#include "verify/courtesy.h"

namespace repld::verify {

class Round {
 public:
  // Takes the fence. Throws Error.
  Round(link::Link& link, const CompareOptions& options, const std::stop_token& stop);

  // Of the link, as the snapshots show them.
  const link::ReplicatedTables& replicated() const { return replicated_; }
  struct Result {
    TableProof proof;
    ComparedTable compared;  // what was compared, when it could be
  };
  // Throws Error; with one the round is over. So it is once is_over().
  Result compare(const SourceTable& table, const std::stop_token& stop);
  // Nothing more can be compared: a server refused something, or we gave way to somebody.
  bool is_over() const { return over_; }
  std::chrono::steady_clock::duration age() const;  // of the snapshots

  int retakes() const { return retakes_; }
  double pause_seconds() const { return pause_seconds_; }

 private:
  link::Link& link_;
  pg::CopyConnection source_;
  pg::CopyConnection target_;
  pg::Session source_catalog_;
  pg::Session target_catalog_;
  link::ReplicatedTables replicated_;
  std::unique_ptr<Comparison> comparison_;
  std::stop_source give_way_;
  std::unique_ptr<Courtesy> courtesy_;
  int retakes_ = 0;
  double pause_seconds_ = 0;
  bool over_ = false;
  std::chrono::steady_clock::time_point taken_at_;
};

}  // namespace repld::verify
