// What stands against publishing and copying tables of the source, judged once: the set-up refuses
// it, the preflight says how to mend it.
#pragma once

#include <vector>

#include "core/schema.h"
#include "core/table.h"

namespace repld {

enum class Obstacle {
  no_wal,       // of a leaf, unlogged or foreign: its changes stream nowhere
  no_identity,  // of a leaf: publishing it would make the application's UPDATE and DELETE fail
  no_root_key,  // of a partitioned table: so would it with a partition made later
  not_owned,    // only an owner may publish
};

struct Unpublishable {
  Obstacle obstacle;
  TableName table;  // a leaf or a root, as the obstacle says
};

std::vector<Unpublishable> unpublishable(const std::vector<SourceTable>& tables);

// Leaves that the copy could not read. `publishes`: ownership, which lets read too, is asked for
// anyway, so a table that lacks it is not named here.
std::vector<TableName> unreadable(const std::vector<SourceTable>& tables, bool publishes);

// Leaves in `source` what streams: the partitions of `tables` that do, and what is above them.
void keep_streaming(const std::vector<SourceTable>& tables, schema::Database& source);

}  // namespace repld
