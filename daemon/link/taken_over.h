// Which table of the target takes the rows of a relation of the stream. They are matched by name,
// but names change hands: a table is renamed on one side before the other, or two change names. So
// the table of that name must be the one that the link has made a replica, which it knows by its
// oid (repld.table_state), or the link stops before a row goes to somebody else's.
#pragma once

#include <optional>
#include <string>

#include "core/relation.h"
#include "core/table.h"
#include "pg/session.h"

namespace repld::link {

// The name by which the link knows a table of the source, or else one of the target; 0: none.
std::optional<TableName> known_as(pg::Session& target, const std::string& link, uint32_t source_oid,
                                  uint32_t target_oid);

// `facts`: what the source says of the relation; nothing: it is gone. `table`: what the target has
// of its table's name. Returns the name by which the link knows it.
// Throws Error(schema) when that is none or another than the link's.
TableName require_taken_over(pg::Session& target, const std::string& link, const Relation& relation,
                             const std::optional<RelationFacts>& facts,
                             const std::optional<TargetTable>& table);

}  // namespace repld::link
