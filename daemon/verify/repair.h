// Makes rows of the target what they are on the source, by their keys, at a held fence: the target
// stands still where the source's snapshot is, so whatever a row was or became, this is its state
// there, and what comes later comes through the stream.
//
// One target transaction a table, which begins with a lock on the link's progress row, held by the
// session whose fence it is: once another session owns the link the fence means nothing, and
// nothing is written. The other waits for our end before it moves the position. A table that was
// rewritten or truncated on the source since the snapshot is left alone.
//   died before the COMMIT   nothing has changed
//   died after it            those rows are as at the fence, which the position has reached
#pragma once

#include <memory>
#include <stop_token>

#include "core/proof.h"
#include "core/verify_table.h"
#include "link/link.h"
#include "pg/copy_connection.h"

namespace repld::verify {

struct MendedTable {
  TableName table;
  int64_t removed = 0;
  int64_t written = 0;
};

class Repair {
 public:
  // Takes the fence, which is held as long as this lives. Throws Error.
  Repair(link::Link& link, const std::stop_token& stop);

  // The rows that `proof` lists; the partitions that the target lacks for them are made. Throws
  // Error, after which this is of no use any more.
  MendedTable mend(const ComparedTable& table, const TableProof& proof,
                   const std::stop_token& stop);

 private:
  std::string own();
  void complete_partitions(const ComparedTable& table, const std::string& guard_nonce);
  void require_unchanged(const ComparedTable& table);
  int64_t bring(const TablePart& part, const ComparedTable& table, const std::string& condition,
                const std::stop_token& stop);

  link::Link& link_;
  const std::unique_ptr<link::Fence> fence_;
  pg::CopyConnection source_;
  pg::CopyConnection target_;
};

}  // namespace repld::verify
