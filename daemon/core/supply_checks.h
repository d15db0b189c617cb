// Can a link stream through these publications of others, and what does it not get from them?
#pragma once

#include <vector>

#include "core/config.h"
#include "core/finding.h"
#include "core/schema.h"
#include "core/supply.h"

namespace repld {

// `missing`: names of publications that do not exist.
std::vector<Finding> check_publications(const std::vector<std::string>& missing);

// `source` holds the tables that are replicated; `supplies` what the publications give of all.
std::vector<Finding> check_supplies(const Config& config, const schema::Database& source,
                                    const std::vector<TableSupply>& supplies);

// Takes tables out of `source` that no publication gives, and columns that do not come. What
// remains is what the target needs.
void keep_supplied(const std::vector<TableSupply>& supplies, schema::Database& source);

}  // namespace repld
