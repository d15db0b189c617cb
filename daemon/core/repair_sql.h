// The statements that make rows named by their keys on one side what they are on the other: those
// of the target are deleted, those of the source copied.
//
// Keys are given as they print. Key columns of the same built-in type are compared as values, so
// that an index is used: the rows deleted and the rows copied are then those whose keys are equal
// to a listed one, the same on both sides. All else, and whole rows without a key, compare as
// they print.
#pragma once

#include <string>
#include <vector>

#include "core/digest.h"
#include "core/proof.h"
#include "core/verify_table.h"

namespace repld {

// Conditions on rows, each for some hundreds of keys, so that none is too deep for a parser.
// `proof` lists at least one row.
std::vector<std::string> rows_conditions(const ComparedTable& table, const TableProof& proof);

std::string delete_rows(const TablePart& part, const std::string& condition);
std::string copy_rows_out(const TablePart& part, const std::vector<std::string>& columns,
                          const std::string& condition);
std::string copy_rows_in(const TableName& table, const std::vector<std::string>& columns);

}  // namespace repld
