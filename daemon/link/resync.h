// Has tables copied afresh: they are marked as if they had never come further than to join, so the
// next session leaves their changes out, empties them behind the guard, and copies them at a fence
// (link/joining, which has the steps and what a crash between them leads to).
#pragma once

#include <string>
#include <vector>

#include "link/shared.h"

namespace repld::link {

// `tables`: as schema.table. All or none are marked, durable on return; then the session must begin
// anew. Throws Error(refused) when one is not a copied table of the link, or cannot be emptied.
void mark_for_resync(Shared& shared, const std::vector<std::string>& tables);

}  // namespace repld::link
