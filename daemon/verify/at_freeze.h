// Compares tables at a fence while writers wait: as many as there is time for.
#pragma once

#include <chrono>
#include <stop_token>
#include <vector>

#include "core/digest.h"
#include "core/proof.h"
#include "core/table.h"
#include "core/verify_table.h"
#include "link/fence.h"
#include "link/link.h"
#include "pg/copy_connection.h"

namespace repld::verify {

class FreezeProver {
 public:
  // Connects and reads the catalogs, which must not change any more. Throws Error.
  FreezeProver(link::Link& link, const std::vector<TableName>& tables);

  // Once. Those first that took least when they were last compared; the rest is left out, as is one
  // that takes longer than it should, with all that come after. Throws Error.
  FreezeProof prove(const link::Fence& fence, std::chrono::steady_clock::time_point until,
                    const std::stop_token& stop);

 private:
  struct Table {
    ComparedTable compared;
    double seconds = 0;  // that it is expected to take
  };

  const pg::Server source_server_;
  const pg::Server target_server_;
  pg::CopyConnection source_;
  pg::CopyConnection target_;
  Digest digest_;
  std::vector<Table> tables_;
  std::vector<TableName> unprovable_;
};

}  // namespace repld::verify
