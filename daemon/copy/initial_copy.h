// The first copy of all tables of a link, under the snapshot that its slot exported.
//
// The snapshot shows exactly what was committed before the slot's consistent point, and the slot
// streams everything from there on, so no row is in both or in neither. It lives as long as the
// replication connection that made the slot stays idle; a crash of either side loses it, and
// link/setup then starts over with a new slot. Workers take chunks from one list; each chunk's
// row in repld.copy_chunk commits with its rows.
#pragma once

#include <functional>
#include <stop_token>

#include "copy/chunk_copy.h"
#include "core/table.h"
#include "pg/server.h"
#include "pg/snapshot.h"

namespace repld::copy {

struct CopyPlan {
  std::string link;
  pg::ExportedSnapshot snapshot;
  std::string guard_nonce;
  std::string owner;  // as whom we own the link
  int workers = 1;
  std::vector<SourceTable> tables;  // as the snapshot shows them
  std::vector<TableName> targets;   // parallel to tables
};

struct CopyObserver {
  std::function<void(const TableName& table, int64_t rows, int64_t bytes)> progress;
  std::function<void(const TableName& table)> finished;
};

// Returns when every chunk is committed. Throws the first worker's Error after all have ended.
// The observer is called on worker threads, one at a time.
void copy_tables(const pg::Server& source, const pg::Server& target, const CopyPlan& plan,
                 const CopyObserver& observer, const std::stop_token& stop);

}  // namespace repld::copy
