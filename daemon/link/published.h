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
// Nothing is watched while the publication is being changed; afterwards what was before, unless
// something else is by then.
class Unwatched {
 public:
  explicit Unwatched(Shared& shared);
  ~Unwatched();
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;

 private:
  Shared& shared_;
  PublicationCheck before_;
};

}  // namespace repld::link
