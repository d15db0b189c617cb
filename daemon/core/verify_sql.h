// The queries that comparing a table asks, the same of both sides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/verify_table.h"

namespace repld {

// What both sides are asked for.
struct ScanPlan {
  Digest digest;
  std::vector<DigestColumn> columns;
  int64_t buckets = 1;  // a power of two
};

// So that from here on they are neither truncated nor rewritten.
std::string lock_statement(const std::vector<TablePart>& parts);
// Name, type oid, plain (ColumnType) of each column of the first part.
std::string column_types_query(const std::vector<TablePart>& parts);
// About how many rows there are, from what the server knows without reading them.
std::string row_estimate_query(const std::vector<TablePart>& parts);
// Whether the parts are in the files in which the transaction's snapshot knows them, with the
// partitions that it knows: TRUNCATE, rewrites and ATTACH change them for all snapshots.
std::string unchanged_query(const std::vector<TablePart>& parts);

// COPY of bucket, rows, sum of their digests. A bucket is of keys with the same low bits of hash.
std::string bucket_scan(const ScanPlan& plan, const std::vector<TablePart>& parts);
// COPY of the rows in some buckets, by key hash: key hash, digest, key columns as text.
std::string row_scan(const ScanPlan& plan, const std::vector<TablePart>& parts,
                     const std::vector<int64_t>& buckets);

}  // namespace repld
