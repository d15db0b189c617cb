// Whether target tables may take a first copy, and what becomes of the rows that they have:
// copy.on_nonempty. What somebody uses is neither mended nor emptied, whatever that says.
#pragma once

#include <map>
#include <stop_token>
#include <vector>

#include "core/config.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::link {

// Why a table may not: it has rows; or it may have some, but others write to it, or it has newer
// ones than the source.
enum class Unfillable { not_empty, written, newer };

// Before a copy, without a lock. By place, of those that may not. It takes seconds where tables
// have rows and may. `sources` and `targets` are parallel.
std::map<size_t, Unfillable> unfillable_tables(pg::Session& source, pg::Session& target,
                                               const std::vector<SourceTable>& sources,
                                               const std::vector<TableName>& targets,
                                               const Config& config, const char* lock_timeout,
                                               const std::stop_token& stop);

Error refusal(Unfillable reason, const std::vector<TableName>& tables);

// Throws a refusal of those that share the first one's reason.
void require_fillable(const std::map<size_t, Unfillable>& unfillable,
                      const std::vector<TableName>& targets);

// Under the caller's locks, guarded: the tables' places of those that keep their rows. The others
// are empty from then on. Throws Error(refused) naming those that have rows and may not.
std::vector<size_t> settle_filled(pqxx::transaction_base& transaction,
                                  const std::vector<TableName>& tables, const Config& config,
                                  const std::string& guard_nonce);

// Past the guard, and marked as the link's own in the WAL of the target: who streams from there
// passes it by.
void truncate_as_ours(pqxx::transaction_base& transaction, const std::vector<TableName>& tables,
                      const std::string& link, const std::string& guard_nonce);

}  // namespace repld::link
