// Copies one chunk: COPY out of the source under a shared snapshot, COPY into the target, and a
// row in repld.copy_chunk in the same target transaction.
//
// The source transaction imports the snapshot anew for each chunk, so that no lock on a table
// outlives a chunk. TRUNCATE and rewrites are not MVCC-safe: after one, a snapshot taken before
// sees an empty table. So the table is locked first, then its file is compared with the one the
// snapshot knows; a difference is Error(connect), and the copy starts again.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "core/chunk.h"
#include "pg/copy_connection.h"
#include "pg/snapshot.h"

namespace repld::copy {

struct ChunkSource {
  TableName leaf;
  uint32_t leaf_oid = 0;
  int64_t first_page = 0;
  std::optional<int64_t> end_page;
  TableName target;
  std::vector<std::string> columns;
  std::string filter;  // empty: every row
};

struct Copied {
  int64_t rows = 0;
  int64_t bytes = 0;
};

// For whom, under which snapshot. A chunk is written only while `owner` is the link's: what a
// session copies on that does not know yet that it has lost the link must not come in.
struct CopyRights {
  std::string link;
  pg::ExportedSnapshot snapshot;
  std::string guard_nonce;  // lets the target's guard pass
  std::string owner;
};

class ChunkCopy {
 public:
  // Opens one connection per side.
  ChunkCopy(const pg::Server& source, const pg::Server& target, CopyRights rights);

  // `progress` is told every few hundred rows how many bytes went by since the last time.
  // Throws Error(connect) also when stopped.
  Copied run(const ChunkSource& chunk, const std::stop_token& stop,
             const std::function<void(int64_t bytes)>& progress);

 private:
  void open_source(const ChunkSource& chunk);
  Copied pump(const std::stop_token& stop, const std::function<void(int64_t)>& progress);
  void record(const ChunkSource& chunk, const Copied& copied);

  pg::CopyConnection source_;
  pg::CopyConnection target_;
  const CopyRights rights_;
};

}  // namespace repld::copy
