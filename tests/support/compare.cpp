#include "support/compare.h"

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>

namespace repld::testing {

namespace {

using Rows = std::vector<std::string>;

// Rows of both sides are printed under the same settings. md5 keeps large rows small here; it is
// taken by the server of each side over the same text.
constexpr const char* kSettings =
    "set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; "
    "set extra_float_digits = 3; set bytea_output = 'hex'; set lc_monetary = 'C'; "
    "set statement_timeout = 0; set search_path = ''";

// Nothing: there is no such table.
std::optional<Rows> rows_of(const std::string& dsn, const std::string& table) {
  pqxx::connection connection(dsn);
  pqxx::nontransaction session(connection);
  session.exec(kSettings);
  const auto kind = session.exec("select relkind = 'p' from pg_class where oid = to_regclass(" +
                                 session.quote(table) + ")");
  if (kind.empty()) {
    return std::nullopt;
  }
  const bool partitioned = kind[0][0].as<bool>();
  std::vector<std::string> rows;
  for (const auto& row : session.exec(std::string("select md5(t::text) || length(t::text) from ") +
                                      (partitioned ? "" : "only ") + table + " t")) {
    rows.emplace_back(row[0].c_str());
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

std::vector<std::string> compare_databases(const std::string& source_dsn,
                                           const std::string& target_dsn,
                                           const std::vector<std::string>& tables) {
  std::vector<std::string> differences;
  for (const std::string& table : tables) {
    // A partition that has never had a row is made on the target with its first.
    const std::vector<std::string> source = rows_of(source_dsn, table).value();
    const std::vector<std::string> target = rows_of(target_dsn, table).value_or(Rows());
    std::vector<std::string> missing;
    std::vector<std::string> extra;
    std::set_difference(source.begin(), source.end(), target.begin(), target.end(),
                        std::back_inserter(missing));
    std::set_difference(target.begin(), target.end(), source.begin(), source.end(),
                        std::back_inserter(extra));
    if (!missing.empty() || !extra.empty()) {
      differences.push_back(table + ": " + std::to_string(missing.size()) + " of " +
                            std::to_string(source.size()) + " rows missing, " +
                            std::to_string(extra.size()) + " extra");
    }
  }
  return differences;
}

}  // namespace repld::testing
