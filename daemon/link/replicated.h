// The tables that a link replicates: those that are copied, as its state on the target says, and
// that it carries.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/proof.h"
#include "core/status.h"
#include "core/table.h"
#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

// Null: the link has none of that name.
TableStatus* find_table(LinkStatus& status, const TableName& name);

// The last proof of a table, as repld.table_state names it, holds no longer. The caller has noted
// it there.
void suspect(Shared& shared, const TableName& table, const char* reason);

// For the status, with the last proof of each.
std::vector<TableStatus> shown_tables(pg::Session& target, const Shared& shared);

// Tables that the link of the other direction has copied, which notes it in the source of this one.
std::set<TableName> copied_by_opposite(pg::Session& source, const std::string& link);
// Puts into the status, once, what the link has taken according to its state, whole or half.
void show_taken_tables(pg::Session& target, Shared& shared);

struct UnprovableTable {
  TableName name;
  std::string reason;
  bool gone = false;  // from the source
};

// What a table was when it was compared, which its proof goes by.
struct ProvenState {
  std::string shape;   // see link/shapes
  TableName known_as;  // in repld.table_state, also after it was renamed
  // As the target's snapshot shows them: since when its proof is in doubt, empty: it is not; the
  // newest row of it in repld.refetch, 0: none.
  std::string suspected_at;
  int64_t queued = 0;
};

struct ReplicatedTables {
  std::vector<SourceTable> tables;         // what existing publications leave out left out
  std::map<uint32_t, ProvenState> states;  // of those, by oid
  // Of which the target is not meant to be a copy, or the source has none.
  std::vector<UnprovableTable> unprovable;
};
// As snapshots of both sides show them. `live`: of the target.
ReplicatedTables replicated_tables(pg::Session& live, const Shared& shared,
                                   pqxx::transaction_base& target, pqxx::transaction_base& source);

// Into repld.verification and the status. What made the table suspect since the snapshots stays, as
// do rows that were queued since; those queued before are no more to be brought when all is equal.
void keep_proof(pg::Session& target, Shared& shared, const TableProof& proof,
                const ProvenState& state);

}  // namespace repld::link
