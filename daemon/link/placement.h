// Where the tables of a link live, as the configuration says, against what the link has taken.
#pragma once

#include "core/config.h"
#include "link/carriage.h"
#include "pg/session.h"

namespace repld::link {

// A table that was copied is written to by the link until finalize, whatever its group says later.
// Throws Error(schema) when the configuration now has it live on the target: the owner of that
// group would write to it, or believe it to be left alone.
void require_placement(pg::Session& target, const Config& config);

// The same of groups that have moved: a table stays on the side of the group that it had, which is
// noted. Throws Error(schema).
void require_groups_kept(pg::Session& target, const Config& config, const Carriage& carriage);

}  // namespace repld::link
