// What must be so on both servers before a new link leaves its first trace on either.
#pragma once

#include <optional>
#include <vector>

#include "core/table.h"
#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

// Throws Error(refused), which is looked at again by itself, when the source is a standby: nothing
// can be set up on it, and its snapshots do not follow the order of its WAL. Of a link that exists
// too: a primary may be demoted, and to a standby without our slot the slot would look lost.
void require_primary(pg::Session& source);

// Throws Error(refused) unless the server decodes, has a free slot and, where the link makes one,
// lets us create a publication.
void require_decoding(pg::Session& source, bool publishes);

// Throws Error(refused), which is looked at again by itself: the source decodes and has a free
// slot; its tables are ours to read; no policy hides rows of a table from our role, on either side;
// the target's tables are ours to alter, and those that reference them. `targets` parallel to
// `tables`.
void require_ready(pg::Session& source, pg::Session& target, const std::vector<SourceTable>& tables,
                   const std::vector<TableName>& targets, bool publishes);

// The same of the tables alone.
void require_tables_ready(pg::Session& source, pg::Session& target,
                          const std::vector<SourceTable>& tables,
                          const std::vector<TableName>& targets, bool publishes);

// Why nothing could be streamed from the source of the way back, whose settings these are; nothing:
// it can be. Changes nothing on either side. Throws Error(connect).
std::optional<Error> cannot_reverse(const Settings& back);

}  // namespace repld::link
