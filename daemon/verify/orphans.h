// Rows of the target that a foreign key would refuse which is set aside while the target is a
// replica: it comes back with a cutover, and is not valid as long as there are some.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/table.h"
#include "link/link.h"

namespace repld::verify {

struct Orphans {
  TableName table;
  std::string foreign_key;
  std::optional<int64_t> rows;  // nothing: see `unknown`
  std::string unknown;          // why they could not be counted
};

// Of the keys at either end of these tables, those that have some. As of now, which is a whole
// transaction of the source. Gives way to whoever waits for a table. Throws Error.
std::vector<Orphans> find_orphans(link::Link& link, const std::vector<TableName>& tables,
                                  const std::stop_token& stop);

}  // namespace repld::verify
