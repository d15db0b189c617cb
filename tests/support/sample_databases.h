// Loads the two sample databases of the soak and of the preflight: the salon of demo/, and Pagila,
// whose dump was made for servers long gone and is adapted on the way.
#pragma once

#include <optional>
#include <string>

namespace repld::testing {

// Tables alone belong on the target, rows too on the source.
enum class Load { tables, tables_and_rows };

// Both sum up to this over cash_accounts and card_accounts, in every snapshot.
constexpr int64_t kAccountsSum = 100'000;

void load_salon(const std::string& dsn, Load load);

// Directory of the dump: $REPLD_TEST_DATA/pagila, else beside the repository; none when absent.
std::optional<std::string> pagila_directory();
// Runs a script through psql; throws when a statement fails.
void run_script(const std::string& dsn, const std::string& path);

void load_pagila(const std::string& directory, const std::string& dsn, Load load);

}  // namespace repld::testing
