#include "core/apply_sql.h"

#include <algorithm>

#include "core/error.h"

namespace repld {

namespace {

// Appends parameters to a statement and names them, each value once.
class Parameters {
 public:
  explicit Parameters(const RowMapping& mapping) : mapping_(mapping) {}

  std::string use(bool old_row, size_t column) {
    const Statement::Parameter wanted{old_row, column};
    const auto found = std::find(list_.begin(), list_.end(), wanted);
    const size_t number = static_cast<size_t>(found - list_.begin()) + 1;
    if (found == list_.end()) {
      list_.push_back(wanted);
    }
    return fmt::format("${}::{}", number, mapping_.columns[column].type);
  }

  std::vector<Statement::Parameter> take() { return std::move(list_); }

 private:
  const RowMapping& mapping_;
  std::vector<Statement::Parameter> list_;
};

std::string only(const RowMapping& mapping) {
  return mapping.partitioned ? mapping.target : "only " + mapping.target;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

// Equality of one column of alias r with an expression of its type.
std::string equal_to(const MappedColumn& column, const std::string& expression) {
  if (column.equality.empty()) {
    return fmt::format("r.{}::text = {}::text", column.name, expression);
  }
  return fmt::format("r.{} {} {}", column.name, column.equality, expression);
}

std::string equals(const MappedColumn& column, Parameters& parameters, bool old_row, size_t index) {
  return equal_to(column, parameters.use(old_row, index));
}

// Condition on alias r that finds the row of a change.
std::string match(const RowMapping& mapping, Parameters& parameters, bool old_row) {
  std::vector<std::string> conditions;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const MappedColumn& column = mapping.columns[i];
    if (mapping.keyed() && column.key) {
      conditions.push_back(equals(column, parameters, old_row, i));
    } else if (!mapping.keyed() && column.written) {
      conditions.push_back(fmt::format("({} or (r.{} is null and {} is null))",
                                       equals(column, parameters, old_row, i), column.name,
                                       parameters.use(old_row, i)));
    }
  }
  return joined(conditions, " and ");
}

std::vector<size_t> written_columns(const RowMapping& mapping) {
  std::vector<size_t> columns;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].written) {
      columns.push_back(i);
    }
  }
  return columns;
}

std::vector<std::string> names(const RowMapping& mapping, const std::vector<size_t>& columns) {
  std::vector<std::string> list;
  for (const size_t i : columns) {
    list.push_back(mapping.columns[i].name);
  }
  return list;
}

std::string new_values(const std::vector<size_t>& columns, Parameters& parameters) {
  std::vector<std::string> list;
  for (const size_t i : columns) {
    list.push_back(parameters.use(false, i));
  }
  return joined(list, ", ");
}

std::string insert_into(const RowMapping& mapping, const std::vector<size_t>& columns) {
  return fmt::format("insert into {} as r ({}) overriding system value", mapping.target,
                     joined(names(mapping, columns), ", "));
}

// Makes an INSERT idempotent. A column that cannot be set must have its value already; else no row
// is touched.
std::string conflict_clause(const RowMapping& mapping) {
  std::vector<std::string> keys;
  std::vector<std::string> sets;
  std::vector<std::string> fixed;
  for (const MappedColumn& column : mapping.columns) {
    if (column.key) {
      keys.push_back(column.name);
    } else if (column.written && column.identity_always) {
      fixed.push_back(equal_to(column, "excluded." + column.name));
    } else if (column.written) {
      sets.push_back(fmt::format("{0} = excluded.{0}", column.name));
    }
  }
  if (sets.empty() && !fixed.empty()) {
    sets.push_back(fmt::format("{0} = excluded.{0}", keys.front()));
  }
  return fmt::format(" on conflict ({}) do {}{}{}", joined(keys, ", "),
                     sets.empty() ? "nothing" : "update set " + joined(sets, ", "),
                     fixed.empty() ? "" : " where ", joined(fixed, " and "));
}

// Turns a statement on alias r into one that finds its single row of a keyless table first.
struct RowSource {
  std::string with;  // comes before the statement's own CTE
  std::string from;  // for UPDATE .. FROM
  std::string where;
};

RowSource row_source(const RowMapping& mapping, Parameters& parameters, bool old_row) {
  const std::string condition = match(mapping, parameters, old_row);
  if (mapping.keyed()) {
    return {"", "", condition};
  }
  return {fmt::format("one as materialized (select r.tableoid as part, r.ctid as place from {} r "
                      "where {} limit 1), ",
                      only(mapping), condition),
          "one", "r.tableoid = one.part and r.ctid = one.place"};
}

std::vector<std::string> set_list(const RowMapping& mapping, const UpdateShape& shape,
                                  Parameters& parameters) {
  std::vector<std::string> sets;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const MappedColumn& column = mapping.columns[i];
    const bool skipped_key = column.key && !shape.sets_key;
    const bool fixed = column.identity_always && !(column.key && shape.sets_key);
    if (column.written && shape.known[i] && !skipped_key && !fixed) {
      sets.push_back(fmt::format("{} = {}", column.name, parameters.use(false, i)));
    }
  }
  return sets;
}

// No statement can set a column that the target generates as identity. So its value must be there
// already: where the source made a new one, the row is not found, which is reported.
std::string fixed_values(const RowMapping& mapping, const UpdateShape& shape,
                         Parameters& parameters) {
  std::string conditions;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const MappedColumn& column = mapping.columns[i];
    if (column.identity_always && !column.key && column.written && shape.known[i]) {
      conditions += " and " + equals(column, parameters, false, i);
    }
  }
  return conditions;
}

bool all_known(const RowMapping& mapping, const UpdateShape& shape) {
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].written && !shape.known[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool RowMapping::keyed() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const MappedColumn& column) { return column.key; });
}

bool RowMapping::has_fixed_columns() const {
  return std::any_of(columns.begin(), columns.end(), [](const MappedColumn& column) {
    return column.identity_always && column.written && !column.key;
  });
}

Statement insert_statement(const RowMapping& mapping, Strictness strictness) {
  Parameters parameters(mapping);
  const std::vector<size_t> columns = written_columns(mapping);
  const bool upsert = strictness == Strictness::mending && mapping.keyed();
  std::string sql =
      fmt::format("{} values ({}){}", insert_into(mapping, columns),
                  new_values(columns, parameters), upsert ? conflict_clause(mapping) : "");
  return {std::move(sql), parameters.take()};
}

Statement update_statement(const RowMapping& mapping, const UpdateShape& shape,
                           Strictness strictness) {
  Parameters parameters(mapping);
  const RowSource source = row_source(mapping, parameters, shape.old_row);
  const std::vector<std::string> sets = set_list(mapping, shape, parameters);
  const std::string fixed = fixed_values(mapping, shape, parameters);
  std::string hit;
  if (sets.empty()) {
    hit = fmt::format("select 1 from {} r where {}{}", only(mapping),
                      match(mapping, parameters, shape.old_row), fixed);
  } else {
    hit = fmt::format("update {} r set {}{}{} where {}{} returning 1", only(mapping),
                      joined(sets, ", "), source.from.empty() ? "" : " from ", source.from,
                      source.where, fixed);
  }
  std::string sql = fmt::format("with {}hit as ({}) ", sets.empty() ? "" : source.with, hit);
  if (strictness == Strictness::mending && all_known(mapping, shape)) {
    const std::vector<size_t> columns = written_columns(mapping);
    sql += fmt::format("{} select {} where not exists (select from hit){}",
                       insert_into(mapping, columns), new_values(columns, parameters),
                       mapping.keyed() ? conflict_clause(mapping) : "");
  } else {
    sql += "select repld.expect_one(count(*)) from hit";
  }
  return {std::move(sql), parameters.take()};
}

Statement delete_statement(const RowMapping& mapping, Strictness strictness) {
  Parameters parameters(mapping);
  const RowSource source = row_source(mapping, parameters, true);
  const std::string hit =
      fmt::format("delete from {} r{}{} where {}", only(mapping),
                  source.from.empty() ? "" : " using ", source.from, source.where);
  std::string sql;
  if (strictness == Strictness::exact) {
    sql = fmt::format("with {}hit as ({} returning 1) select repld.expect_one(count(*)) from hit",
                      source.with, hit);
  } else if (source.with.empty()) {
    sql = hit;
  } else {
    sql = fmt::format("with {} {}", source.with.substr(0, source.with.size() - 2), hit);
  }
  return {std::move(sql), parameters.take()};
}

std::string truncate_statement(const std::vector<std::string>& targets, bool restart_identity) {
  return fmt::format("truncate {}{}", joined(targets, ", "),
                     restart_identity ? " restart identity" : "");
}

}  // namespace repld
