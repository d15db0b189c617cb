// Physical standbys, of nothing but a copy of the files.
#pragma once

#include "support/pg_cluster.h"

namespace repld::testing {

// Makes the server a standby of the other, which restarts; its own data is lost. Both as
// PgCluster makes them, of one version.
void follow(PgCluster& standby, PgCluster& primary);

// Restarts it in good order: as a standby that hears of no primary, and as a primary again.
void demote(PgCluster& cluster);
void promote(PgCluster& cluster);

}  // namespace repld::testing
