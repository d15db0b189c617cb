#include "core/set_sql.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/row_clauses.h"

namespace repld {

namespace {

// The rows of a set as a FROM item with alias u, and its columns as expressions.
class Rows {
 public:
  explicit Rows(const RowMapping& mapping) : mapping_(mapping) {}

  std::string use(size_t column) {
    const MappedColumn& mapped = mapping_.columns[column];
    list_.push_back({false, column});
    arrays_.push_back(
        fmt::format("${}::{}", list_.size(), mapped.array.empty() ? "text[]" : mapped.array));
    names_.push_back(fmt::format("c{}", list_.size()));
    return mapped.array.empty() ? fmt::format("u.{}::{}", names_.back(), mapped.type)
                                : "u." + names_.back();
  }

  std::string from_item() const {
    return fmt::format("unnest({}) as u({})", joined(arrays_, ", "), joined(names_, ", "));
  }

  // Wraps a statement that returns a row for each it touches.
  Statement counted(const std::string& sql) && {
    return {fmt::format("with done as ({}) select 1 / (count(*) = ${}::bigint)::int from done", sql,
                        list_.size() + 1),
            std::move(list_)};
  }

 private:
  const RowMapping& mapping_;
  std::vector<Statement::Parameter> list_;
  std::vector<std::string> arrays_;
  std::vector<std::string> names_;
};

std::vector<std::string> key_conditions(const RowMapping& mapping, Rows& rows) {
  std::vector<std::string> conditions;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].key) {
      conditions.push_back(equal_to(mapping.columns[i], rows.use(i)));
    }
  }
  return conditions;
}

Statement insert_rows(const RowMapping& mapping) {
  Rows rows(mapping);
  const std::vector<size_t> columns = written_columns(mapping);
  std::vector<std::string> values;
  for (const size_t i : columns) {
    values.push_back(rows.use(i));
  }
  const std::string sql =
      fmt::format("{} select {} from {} returning 1", insert_into(mapping, columns),
                  joined(values, ", "), rows.from_item());
  return std::move(rows).counted(sql);
}

Statement delete_rows(const RowMapping& mapping) {
  Rows rows(mapping);
  const std::vector<std::string> conditions = key_conditions(mapping, rows);
  const std::string sql = fmt::format("delete from {} r using {} where {} returning 1",
                                      only(mapping), rows.from_item(), joined(conditions, " and "));
  return std::move(rows).counted(sql);
}

Statement update_rows(const RowMapping& mapping, const std::vector<bool>& known) {
  Rows rows(mapping);
  std::vector<std::string> conditions = key_conditions(mapping, rows);
  std::vector<std::string> sets;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const MappedColumn& column = mapping.columns[i];
    if (known[i] && is_fixed(column)) {
      conditions.push_back(equal_to(column, rows.use(i)));
    } else if (known[i] && is_set(column, false)) {
      sets.push_back(fmt::format("{} = {}", column.name, rows.use(i)));
    }
  }
  const std::string where = joined(conditions, " and ");
  const std::string sql =
      sets.empty()
          ? fmt::format("select 1 from {} r, {} where {}", only(mapping), rows.from_item(), where)
          : fmt::format("update {} r set {} from {} where {} returning 1", only(mapping),
                        joined(sets, ", "), rows.from_item(), where);
  return std::move(rows).counted(sql);
}

}  // namespace

Statement set_statement(const RowMapping& mapping, ChangeKind kind,
                        const std::vector<bool>& known) {
  REPLD_ASSERT(kind != ChangeKind::truncate);
  switch (kind) {
    case ChangeKind::insert: return insert_rows(mapping);
    case ChangeKind::remove: return delete_rows(mapping);
    default: return update_rows(mapping, known);
  }
}

}  // namespace repld
