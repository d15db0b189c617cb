// Makes rows of the target what they are on the source, by their keys, while the target stands
// still where the source's snapshot is: at a held fence, or under the snapshot of a new slot. So
// whatever a row was or became, this is its state there, and what comes later comes through the
// stream.
//
// One target transaction a table, which begins with a lock on the link's progress row, held by the
// session that keeps the target still: once another session owns the link that means nothing, and
// nothing is written. The other waits for our end before it moves the position. A table that was
// rewritten or truncated on the source since the snapshot is left alone.
//   died before the COMMIT   nothing has changed
//   died after it            those rows are as at the fence, which the position has reached
#pragma once

#include <stop_token>

#include "core/proof.h"
#include "core/verify_table.h"
#include "link/shared.h"
#include "pg/copy_connection.h"
#include "pg/snapshot.h"

namespace repld::verify {

// Of every session that reads or writes while the target stands still: it waits for nobody's locks.
inline constexpr const char* kNoLongWait = "set lock_timeout = '2s'";

struct MendedTable {
  TableName table;
  int64_t removed = 0;
  int64_t written = 0;
};

class Repair {
 public:
  // Connects, which takes time: before the target is made to stand still. Borrows the settings.
  explicit Repair(const link::Settings& settings);
  // Once, before all else: the target stands still at `source_snapshot` as long as `owner` owns the
  // link and this lives. Throws Error.
  void stand_at(const pg::ExportedSnapshot& source_snapshot, std::string owner);

  // The rows that `proof` lists; the partitions that the target lacks for them are made. Throws
  // Error, after which this is of no use any more. `also`: SQL for the same transaction; or empty.
  MendedTable mend(const ComparedTable& table, const TableProof& proof, const std::stop_token& stop,
                   const std::string& also = "");
  // Every row, in one transaction of the target.
  MendedTable replace(const ComparedTable& table, const std::stop_token& stop);
  // How values of these columns are told apart, see core/repair_sql.
  std::vector<ColumnForm> column_forms(const ComparedTable& table,
                                       const std::vector<std::string>& columns);

 private:
  std::string own();
  bool is_partitioned(const ComparedTable& table) const {
    return table.source.size() > 1 || table.source.front().name != table.name;
  }
  void complete_partitions(const ComparedTable& table, const std::string& guard_nonce);
  void require_unchanged(const ComparedTable& table);
  int64_t bring(const TablePart& part, const ComparedTable& table, const std::string& condition,
                const std::stop_token& stop);

  const link::Settings& settings_;
  std::string owner_;
  pg::CopyConnection source_;
  pg::CopyConnection target_;
};

}  // namespace repld::verify
