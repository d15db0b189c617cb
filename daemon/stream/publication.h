// The publication of a link: an explicit list of tables, never ALL TABLES.
//
// A partitioned table is listed by its root with publish_via_partition_root = false: its leaves,
// present and future, are then published under their own names, so that a TRUNCATE of a leaf
// arrives (under a root publication it is lost) and a new leaf is in the stream from its first
// row. A plain table is listed with ONLY: its inheritance children are tables of their own.
#pragma once

#include <string>
#include <vector>

#include "core/table.h"
#include "pg/session.h"

namespace repld::stream {

// Creates the publication or changes its list to exactly `tables`.
// Throws Error(schema) naming every table whose UPDATEs publishing would break (no usable
// replica identity) or that is not ours to publish.
void ensure_publication(pg::Session& source, const std::string& name,
                        const std::vector<SourceTable>& tables);

void drop_publication(pg::Session& source, const std::string& name);

}  // namespace repld::stream
