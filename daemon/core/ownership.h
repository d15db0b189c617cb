// How our role comes to act as the owner of a table that is somebody else's, with the least change
// for those who use it.
#pragma once

#include "core/finding.h"
#include "core/schema.h"

namespace repld {

// Sets SQL, role, effect and action; the side is known. Membership takes nothing from the owner;
// only a superuser's table changes hands, since who may act as a superuser is one.
void mend_ownership(const schema::Table& table, const schema::Database& database, Finding& finding);

}  // namespace repld
