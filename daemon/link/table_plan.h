// Source tables and the target tables that are to take their rows: whether they fit, and how a
// target table becomes a replica. For the set-up of a link and for tables that join it later.
#pragma once

#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "apply/progress_store.h"
#include "core/supply.h"
#include "core/table.h"
#include "link/shared.h"
#include "pg/session.h"
#include "pg/snapshot.h"
#include "stream/publication.h"

namespace repld::link {

// How long the application's open transactions on the target may hold us up: at the set-up, and
// beside a link that streams, where others queue behind us.
inline constexpr const char* kLockTimeout = "set local lock_timeout = '5s'";
inline constexpr const char* kShortLockTimeout = "set local lock_timeout = '500ms'";
// The same for DDL that the stream asks for: readers queue behind our wait; the link tries again.
inline constexpr const char* kDdlLockTimeout = "set local lock_timeout = '2s'";

struct TablePlan {
  std::vector<SourceTable> tables;
  std::vector<TableName> targets;     // parallel to tables
  std::vector<TableSupply> supplies;  // of existing publications, for all tables
  std::set<uint32_t> filled;          // by oid: on the target they have rows, and keep them
};

// What was a partition when the link took over its table may be one on the target still. Throws
// Error(schema).
void require_own_target(const TableName& table, const TableName& target);
// Adds the table, with the columns that the target does not compute itself. Throws Error(schema)
// when the target has no table that takes all of its rows.
void fit(pg::Session& target, const SourceTable& table, TablePlan& plan);

// Makes replicas of the targets: guarded, triggers and foreign keys set aside, noted in
// repld.table_state as `state`, whether or not they were noted before; proven empty where they are
// to be copied, emptied, or noted in plan.filled, as copy.on_nonempty says. Within the caller's
// transaction, which holds their locks from then on and has set how long it waits for them.
// `published`: empty, or has all of them.
void take_over(pqxx::transaction_base& transaction, const Shared& shared, TablePlan& plan,
               const std::vector<stream::PublishedTable>& published, const std::string& state,
               const std::string& guard_nonce);

// Only notes them in repld.table_state. `found_empty`: but for plan.filled they are known to be.
void note_tables(pqxx::transaction_base& transaction, const Shared& shared, const TablePlan& plan,
                 const std::vector<stream::PublishedTable>& published, const std::string& state,
                 bool found_empty);

// Empties what an interrupted copy began to fill, of the tables in any of `states` (an array of
// PostgreSQL), whose rows in repld.table_state are locked first: a session that has died may still
// be about to change them. Only what was found empty and guarded all the while holds nothing but
// what we copied; the rest is looked at like any other table. With initial = false too: half a copy
// is not what the operator takes as equal. What has moved to the target is never emptied.
void empty_half_copied(pqxx::transaction_base& transaction, const Shared& shared,
                       const std::string& states, const std::string& guard_nonce);
// Forgets the tables in any of `states`.
void forget_tables(pqxx::transaction_base& transaction, const std::string& link,
                   const std::string& states);

// The first copy of the plan's tables under a snapshot of the source, shown as it goes on. `row`:
// of the link, as its owner has it.
// Throws Error.
void copy_plan(Shared& shared, pg::Session& target, const TablePlan& plan,
               const pg::ExportedSnapshot& snapshot, const apply::ProgressRow& row,
               const std::stop_token& stop);

// For the status, before anything of it is copied.
TableStatus shown_as(const SourceTable& table, const Config& config, TableState state);

}  // namespace repld::link
