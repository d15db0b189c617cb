// What the publication does not give although it lists it, and nothing else would show: tables that
// are still there under another name, or as partitions, while whoever bears the old name now is not
// published; and partitions whose changes are in no WAL.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "stream/publication.h"

namespace repld::stream {

// As schema.name.
std::vector<std::string> find_replaced(pg::Session& source, const Published& published);

// What is said of them.
Error replaced_tables(const std::vector<std::string>& tables);

// Partitions that were made of these since, and whose changes are in no WAL. As schema.name.
std::vector<std::string> find_silent(pg::Session& source, const Published& published);
Error silent_partitions(const std::vector<std::string>& tables);

}  // namespace repld::stream
