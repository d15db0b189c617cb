// Proves a table equal on two servers, or names the keys of the rows that differ.
//
// Both sides are read at once, where their snapshots show the same state: first sums of digests by
// bucket of the key's hash, a few bytes a bucket whatever the table's size; then only the rows of
// buckets that differ, in one order, merged. What the rows say never leaves the servers, save
// for the keys of rows in such buckets.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/proof.h"
#include "core/verify_rows.h"
#include "core/verify_sql.h"
#include "verify/scan.h"

namespace repld::verify {

struct CompareOptions {
  size_t listed_max = 1000;  // keys a table
};

class Comparison {
 public:
  // Throws Error(refused) when the servers have no digest in common.
  Comparison(const Endpoint& source, const Endpoint& target, const CompareOptions& options = {});
  // The same with a digest that is known to be common.
  Comparison(const Endpoint& source, const Endpoint& target, const Digest& digest,
             const CompareOptions& options = {});

  // After an error, Error(connect) when stopped among them, both transactions are lost. A table
  // that was truncated or rewritten since the snapshots is no error: it comes back as unproven.
  TableProof compare(const ComparedTable& table, const std::stop_token& stop);

 private:
  struct Side {
    Scan scan;
    std::vector<TablePart> parts = {};
    bool unchanged = false;
    std::map<std::string, ColumnType> types = {};
    int64_t row_estimate = 0;
    BucketSums sums = BucketSums(0);
  };

  // A thread a side; throws what the first to fail threw.
  void on_both(const std::function<void(Side&)>& job, const std::stop_token& stop);
  void interrupt() const;

  ScanPlan make_plan(const ComparedTable& table, const std::stop_token& stop);
  void sum_up(const ScanPlan& plan, const std::stop_token& stop);
  void find_rows(const ScanPlan& plan, const std::vector<int64_t>& buckets, TableProof& proof,
                 const std::stop_token& stop);
  void compare_into(TableProof& proof, const ComparedTable& table, const std::stop_token& stop);
  // Says in `proof` when a side has changed.
  bool unchanged(TableProof& proof) const;

  Side source_;
  Side target_;
  Digest digest_;
  CompareOptions options_;
};

}  // namespace repld::verify
