#include "core/verify_table.h"

#include <algorithm>

namespace repld {

namespace {

Error different_columns(const TableName& table) {
  Error error(ErrorKind::schema, fmt::format("partitions of \"{}\" are published with different "
                                             "columns, so it cannot be compared",
                                             table.full()));
  error.hint("Give all its partitions the same column list.");
  error.table(table.full());
  return error;
}

std::vector<TablePart> source_parts(const SourceTable& source) {
  std::vector<TablePart> parts;
  for (const SourceLeaf& leaf : source.leaves) {
    parts.push_back({leaf.name, false, leaf.filter});
  }
  if (parts.empty()) {
    parts.push_back({source.name, false, ""});  // a root without partitions holds no rows
  }
  return parts;
}

std::string common_filter(const std::vector<TablePart>& parts) {
  const bool common = std::all_of(parts.begin(), parts.end(), [&](const TablePart& part) {
    return part.filter == parts.front().filter;
  });
  return common ? parts.front().filter : "";
}

std::vector<std::string> source_columns(const SourceTable& source) {
  if (source.leaves.empty()) {
    return source.columns;
  }
  std::vector<std::string> first = source.leaves.front().columns;
  std::sort(first.begin(), first.end());
  for (const SourceLeaf& leaf : source.leaves) {
    std::vector<std::string> columns = leaf.columns;
    std::sort(columns.begin(), columns.end());
    if (columns != first) {
      throw different_columns(source.name);
    }
  }
  return source.leaves.front().columns;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

ComparedTable compared_table(const SourceTable& source, const TargetTable& target,
                             const std::vector<std::string>& key) {
  ComparedTable table;
  table.name = source.name;
  table.source = source_parts(source);
  table.target.push_back({target.name, target.partitioned, common_filter(table.source)});
  for (const std::string& column : source_columns(source)) {
    const TargetColumn* found = target.find_column(column);
    if (found == nullptr) {
      throw missing_column(source.name, column);
    }
    if (!found->generated && !contains(source.generated, column)) {
      table.columns.push_back(column);
    }
  }
  const bool keyed = std::all_of(key.begin(), key.end(), [&](const std::string& column) {
    return contains(table.columns, column);
  });
  table.key = keyed ? key : std::vector<std::string>();
  return table;
}

std::vector<std::string> common_key(const RelationFacts& source, const TargetTable& target) {
  for (const TargetKey& key : target.keys) {
    const bool common = std::any_of(
        source.keys.begin(), source.keys.end(), [&](const std::vector<std::string>& columns) {
          return std::is_permutation(columns.begin(), columns.end(), key.columns.begin(),
                                     key.columns.end());
        });
    if (common) {
      return key.columns;
    }
  }
  return {};
}

}  // namespace repld
