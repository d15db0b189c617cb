// Tables that are still there under another name, or as partitions: whoever bears the old name now
// is not published, and nothing else would show it.
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

}  // namespace repld::stream
