// What the catalogs say of tables, on either side.
#pragma once

#include <optional>
#include <vector>

#include "core/table.h"
#include "pg/session.h"

namespace repld::pg {

// Measuring waits for whoever has locked a table as a whole, which a prepared transaction may do
// for hours; only a copy needs it.
enum class Sizes { measured, estimated };

// Every table of the source that could be replicated, by name, as the transaction's snapshot
// shows them.
std::vector<SourceTable> read_source_tables(pqxx::transaction_base& transaction, Sizes sizes);

// Whether there is such a table, and we may read it.
bool may_read(Session& session, const TableName& table);

// Nothing when the relation is gone.
std::optional<RelationFacts> relation_facts(Session& session, uint32_t oid);
std::optional<RelationFacts> relation_facts(Session& session, const TableName& name);

// The table of that name, or the root it is a partition of; nothing when there is none.
// Throws Error(schema) when the name is a view or a foreign table.
std::optional<TargetTable> read_target_table(Session& session, const TableName& name);

// Whether the name is a partitioned table; false also when there is none.
bool is_partitioned(Session& session, const TableName& name);

}  // namespace repld::pg
