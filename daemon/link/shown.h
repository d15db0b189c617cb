// Whether the source's catalogs can be asked about what a transaction of the stream made.
//
// A commit streams as soon as it is written, and is shown to other sessions only after that: a
// moment later, or as long as a synchronous standby takes. Until then they do not know the
// partition, the column or the table that its rows have.
#pragma once

#include <optional>

#include "core/error.h"
#include "core/relation.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::link {

// What has ended once this is true, the catalogs show when they are read after the call. Waits for
// a moment, since most often it is a matter of one.
bool shows(pg::Session& source, uint32_t xid);

// Whether the catalogs show where the transaction has put this relation and, under REPLICA IDENTITY
// FULL, what it has made of its keys; waits for a moment. Of one that did neither that is known
// before its commit is shown, which may wait for us.
bool shows_altered(pg::Session& source, const Relation& relation, uint32_t xid);

// Where the relation stands on the source; nothing: it is gone. Throws Error(connect) when somebody
// has locked it as a whole for long, as a prepared transaction with a TRUNCATE does.
std::optional<RelationFacts> facts_of(pg::Session& source, const Relation& relation);

// The reaction to the other case: to try again.
Error not_shown_yet(const Relation& relation);

}  // namespace repld::link
