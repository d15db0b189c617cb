#include "core/repair_sql.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/sql_text.h"

namespace repld {

namespace {

constexpr size_t kKeysMax = 250;  // of one condition

std::string quoted_list(const std::vector<std::string>& columns) {
  std::vector<std::string> quoted;
  for (const std::string& column : columns) {
    quoted.push_back(quote_identifier(column));
  }
  return fmt::format("{}", fmt::join(quoted, ", "));
}

// One column is as the key says.
std::string comparison(const DigestColumn& column, const std::optional<std::string>& text,
                       bool by_value) {
  if (!text) {
    return fmt::format("{} is null", column_text(column));
  }
  const std::string left = by_value ? quote_identifier(column.name) : column_text(column);
  return fmt::format("{} = {}", left, quote_literal(*text));
}

std::string row_condition(const ComparedTable& table, const TableProof& proof,
                          const KeyTexts& key) {
  REPLD_ASSERT(key.size() == proof.key.size() && key.size() == proof.key_forms.size());
  std::vector<std::string> comparisons;
  for (size_t i = 0; i < key.size(); ++i) {
    const DigestColumn column{proof.key[i], proof.key_forms[i], true};
    const bool by_value = !table.key.empty() && column.form != ColumnForm::output;
    comparisons.push_back(comparison(column, key[i], by_value));
  }
  return fmt::format("({})", fmt::join(comparisons, " and "));
}

std::string with_filter(const TablePart& part, const std::string& condition) {
  return part.filter.empty() ? condition : fmt::format("({}) and ({})", condition, part.filter);
}

std::string name_of(const TablePart& part) {
  return (part.with_partitions ? "" : "only ") + quote_qualified(part.name.schema, part.name.name);
}

}  // namespace

std::vector<std::string> rows_conditions(const ComparedTable& table, const TableProof& proof) {
  std::vector<std::string> conditions;
  std::vector<std::string> rows;
  for (const DifferingRow& row : proof.listed) {
    rows.push_back(row_condition(table, proof, row.key));
    if (rows.size() == kKeysMax || &row == &proof.listed.back()) {
      conditions.push_back(fmt::format("{}", fmt::join(rows, " or ")));
      rows.clear();
    }
  }
  return conditions;
}

std::string delete_rows(const TablePart& part, const std::string& condition) {
  return fmt::format("delete from {} where {}", name_of(part), with_filter(part, condition));
}

std::string copy_rows_out(const TablePart& part, const std::vector<std::string>& columns,
                          const std::string& condition) {
  return fmt::format("copy (select {} from {} where {}) to stdout", quoted_list(columns),
                     name_of(part), with_filter(part, condition));
}

std::string copy_rows_in(const TableName& table, const std::vector<std::string>& columns) {
  return fmt::format("copy {} ({}) from stdin", quote_qualified(table.schema, table.name),
                     quoted_list(columns));
}

}  // namespace repld
