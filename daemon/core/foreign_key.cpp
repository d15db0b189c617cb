#include "core/foreign_key.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/sql_text.h"

namespace repld {

namespace {

// Reads what the server prints, from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool take(std::string_view word) {
    if (rest_.substr(0, word.size()) != word) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }

  // Quoted or not; nothing when there is none.
  std::optional<std::string> identifier() {
    if (!take("\"")) {
      const size_t end = rest_.find_first_of(" .,()\"");
      std::string name(rest_.substr(0, end));
      rest_.remove_prefix(name.size());
      return name.empty() ? std::nullopt : std::optional(std::move(name));
    }
    std::string name;
    for (size_t end = rest_.find('"'); end != std::string_view::npos; end = rest_.find('"')) {
      name += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!take("\"")) {
        return name;
      }
      name += '"';
    }
    return std::nullopt;
  }

  // In parentheses, with commas between; empty when it is something else.
  std::vector<std::string> identifiers() {
    std::vector<std::string> names;
    if (!take("(")) {
      return {};
    }
    do {
      auto name = identifier();
      if (!name) {
        return {};
      }
      names.push_back(*std::move(name));
    } while (take(", "));
    return take(")") ? names : std::vector<std::string>();
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<ForeignKey> parse_foreign_key(const TableName& table, const std::string& name,
                                            std::string_view definition) {
  Reader reader(definition);
  ForeignKey key;
  key.table = table;
  key.name = name;
  if (!reader.take("FOREIGN KEY ")) {
    return std::nullopt;
  }
  key.columns = reader.identifiers();
  const auto schema = reader.take(" REFERENCES ") ? reader.identifier() : std::nullopt;
  const auto referenced = reader.take(".") ? reader.identifier() : std::nullopt;
  key.referenced_columns = reader.identifiers();
  if (!schema || !referenced || key.columns.empty() ||
      key.columns.size() != key.referenced_columns.size()) {
    return std::nullopt;
  }
  key.referenced = {*schema, *referenced};
  key.full = reader.take(" MATCH FULL");
  return key;
}

std::string orphan_query(const ForeignKey& key, const TargetTable& table,
                         const TargetTable& referenced) {
  std::vector<std::string> present;
  std::vector<std::string> equal;
  for (size_t i = 0; i < key.columns.size(); ++i) {
    const TargetColumn* column = referenced.find_column(key.referenced_columns[i]);
    if (column == nullptr) {
      throw missing_column(key.referenced, key.referenced_columns[i]);
    }
    const std::string own = "c." + quote_identifier(key.columns[i]);
    present.push_back(own + " is not null");
    equal.push_back(
        fmt::format("p.{} {} {}", quote_identifier(column->name), column->equality, own));
  }
  const auto rows_of = [](const TargetTable& each, const TableName& name) {
    return (each.partitioned ? "" : "only ") + quote_qualified(name.schema, name.name);
  };
  // MATCH FULL refuses rows of which some columns are null; otherwise one null is enough to pass.
  return fmt::format(
      "select count(*) from {} c where ({}) and not exists (select from {} p where {})",
      rows_of(table, key.table), fmt::join(present, key.full ? " or " : " and "),
      rows_of(referenced, key.referenced), fmt::join(equal, " and "));
}

}  // namespace repld
