// Compares two schemas: what the target lacks or has otherwise, and the DDL that makes it fit.
//
// An error is what would stop or falsify replication (a missing table, a narrower type); a warning
// what is missed only once the target is written to (defaults, indexes, checks, foreign keys).
#pragma once

#include <string>
#include <vector>

#include "core/schema.h"
#include "core/schema_ddl.h"

namespace repld::schema {

// `source` is portable already. Changes come in the order in which they can be made.
std::vector<Change> compare(const Database& source, const Database& target);

// Parts of compare(), by what they look at; each appends to `changes`.
void compare_surroundings(const Database& source, const Database& target,
                          std::vector<Change>& changes);
void compare_columns(const Database& target, const Table& want, const Table& have,
                     std::vector<Change>& changes);
void compare_constraints(const Database& target, const Table& want, const Table& have,
                         std::vector<Change>& changes);
void compare_indexes(const Database& target, const Table& want, const Table& have,
                     std::vector<Change>& changes);
void compare_triggers(const Database& target, const Table& want, const Table& have,
                      std::vector<Change>& changes);
void compare_row_security(const Database& target, const Table& want, const Table& have,
                          std::vector<Change>& changes);

// Who can alter the table now.
const std::string& altering_role(const Database& target, const Table& table);

// A change to the target that `role` makes; SQL and effect follow from the statements.
Change change_of(Severity severity, const char* check, std::string what, std::string why,
                 std::vector<Statement> statements, const std::string& role);

}  // namespace repld::schema
