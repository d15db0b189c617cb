// Groups of tables against foreign keys: which of them cross, and what hangs together.
#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "core/finding.h"
#include "core/schema.h"

namespace repld {

// Warnings for foreign keys between tables of different groups.
std::vector<Finding> crossing_foreign_keys(const Config& config, const schema::Database& source);

// Warnings for partitions that a group names whose table is in another: a table moves as a whole.
std::vector<Finding> divided_tables(const Config& config, const schema::Database& source);

// Foreign keys of the target between a replicated table and one that is not, such as one that lives
// there already: the link sets them aside. Errors where the other table is not ours to alter.
// `replicated`: the target's tables that the link writes to; `others`: the rest of its tables.
std::vector<Finding> bordering_foreign_keys(const schema::Database& replicated,
                                            const schema::Database& others);

// The smallest groups that no foreign key leaves; tables without any are a group of their own.
// "schema.table" names of roots, each group and the whole sorted.
std::vector<std::vector<std::string>> closed_groups(const schema::Database& source);

}  // namespace repld
