// A link that streams through publications of others (link.create_publication = false): which
// they are, what they gave when it was set up, and whether that is still so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apply/progress_store.h"
#include "core/config.h"
#include "core/supply.h"
#include "pg/session.h"
#include "stream/existing_publications.h"

namespace repld::link {

// Their names as the configuration has them, each once, in order; nothing: the link makes its own.
std::optional<std::vector<std::string>> existing_publications(const Config& config);

// Throws Error(refused) when the link was set up with others, or with one of its own.
void require_same_publications(const Config& config, const apply::ProgressRow& row);

stream::SlotClaim slot_claim(const apply::ProgressRow& row);

// Tables that are published but not replicated: what the configuration leaves out of `supplies`,
// and partitions of `tables` that no publication publishes. For people.
std::vector<std::string> left_out(const Config& config, const std::vector<SourceTable>& tables,
                                  const std::vector<TableSupply>& supplies);

// What the link was set up to receive, as repld.table_state has it.
std::vector<TableSupply> read_adopted(pg::Session& target, const std::string& link);

// `adopted`: what the link was set up to receive. `now`: what the publications give.
std::optional<Error> find_difference(const Config& config, const std::vector<TableSupply>& adopted,
                                     const std::vector<TableSupply>& now);

// A table that the publications give and the configuration wants, but that was never copied.
Error added_table(const TableName& table);

}  // namespace repld::link
