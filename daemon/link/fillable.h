// Whether target tables may take a first copy, and what becomes of the rows that they have:
// copy.on_nonempty. What somebody uses is neither mended nor emptied, whatever that says.
#pragma once

#include <stop_token>
#include <vector>

#include "core/config.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::link {

// Before a copy, without a lock: throws Error(refused) naming those that have rows, or, where they
// may have some, those that others are seen to write to: it takes seconds.
void require_fillable(pg::Session& target, const std::vector<TableName>& tables,
                      const Config& config, const char* lock_timeout, const std::stop_token& stop);

// Under the caller's locks, guarded: the tables' places of those that keep their rows. The others
// are empty from then on. Throws Error(refused) naming those that have rows and may not.
std::vector<size_t> settle_filled(pqxx::transaction_base& transaction,
                                  const std::vector<TableName>& tables, const Config& config,
                                  const std::string& guard_nonce);

}  // namespace repld::link
