// Tables that were renamed on the target while the link replicates them.
//
// What is known of a table (repld.table_state, its proofs, rows that are to be brought, what was
// set aside on it) is kept under its name on the target, and the configuration goes by that. The
// table itself is told by its oid. So at each start the names follow, before anything is done by
// them. One that is renamed later is met by link/taken_over, and known by its old name until then.
#pragma once

#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

// As the owner of the link. Throws Error(schema) when the configuration leaves the new name out, or
// it is that of another table which is gone from the target alone.
void follow_renames(pg::Session& source, pg::Session& target, const Shared& shared,
                    const std::string& guard_nonce);

// Whatever the source has, so that what was set aside is found when the link ends.
void follow_on_target(pg::Session& target, const std::string& link);

}  // namespace repld::link
