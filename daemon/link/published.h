// What a link with a publication of its own expects of it, by repld.table_state, and the watch over
// it while the link streams.
#pragma once

#include <string>

#include "apply/progress_store.h"
#include "link/shared.h"
#include "pg/session.h"

namespace repld::link {

stream::Published read_published(pg::Session& target, const Shared& shared,
                                 const apply::ProgressRow& row);

// From now on the monitor ends the stream when the publication gives anything else.
void watch(Shared& shared, stream::Published published);
// Until watch() is called again: the publication is being changed.
void watch_nothing(Shared& shared);

}  // namespace repld::link
