#include "core/apply_sql.h"

#include <algorithm>

#include "core/error.h"
#include "core/row_clauses.h"

namespace repld {

namespace {

// Proves on the server, before the COMMIT that is on its way already, that CTE `done` touched one
// row: none divides by zero, and more than one cannot be (a unique key, or LIMIT 1). A function
// that raises would say it more plainly and costs twice as much a row.
constexpr const char* kExactlyOne = "select 1, 1 / count(*) from done";

// Appends parameters to a statement and names them, each value once.
class Parameters {
 public:
  explicit Parameters(const RowMapping& mapping) : mapping_(mapping) {}

  std::string use(bool old_row, size_t column) {
    return fmt::format("${}::{}", number({old_row, column}), mapping_.columns[column].type);
  }
  std::string use_as_printed(bool old_row, size_t column) {
    return fmt::format("${}::text", number({old_row, column, true}));
  }

  std::vector<Statement::Parameter> take() { return std::move(list_); }

 private:
  size_t number(const Statement::Parameter& wanted) {
    const auto found = std::find(list_.begin(), list_.end(), wanted);
    if (found == list_.end()) {
      list_.push_back(wanted);
      return list_.size();
    }
    return static_cast<size_t>(found - list_.begin()) + 1;
  }

  const RowMapping& mapping_;
  std::vector<Statement::Parameter> list_;
};

std::string equals(const MappedColumn& column, Parameters& parameters, bool old_row, size_t index) {
  return equal_to(column, parameters.use(old_row, index));
}

// A row without a key is the one whose every column prints the same: 1.0 is not 1.00. Columns of
// the target's primary key are never null, so they may use its index first.
std::string same_as_printed(const MappedColumn& column, const std::string& value) {
  const std::string text =
      fmt::format("r.{}::text is not distinct from {}::text", column.name, value);
  return column.in_primary_key && !column.equality.empty()
             ? fmt::format("{} and {}", equal_to(column, value), text)
             : text;
}

// Condition on alias r that finds the row of a change.
std::string match(const RowMapping& mapping, Parameters& parameters, bool old_row) {
  std::vector<std::string> conditions;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const MappedColumn& column = mapping.columns[i];
    if (mapping.keyed() && column.key) {
      conditions.push_back(equals(column, parameters, old_row, i));
    } else if (!mapping.keyed() && column.written) {
      conditions.push_back(same_as_printed(column, parameters.use(old_row, i)));
    }
  }
  return joined(conditions, " and ");
}

std::string new_values(const std::vector<size_t>& columns, Parameters& parameters) {
  std::vector<std::string> list;
  for (const size_t i : columns) {
    list.push_back(parameters.use(false, i));
  }
  return joined(list, ", ");
}

struct Upsert {
  std::string clause;          // after VALUES or SELECT; empty without a key
  bool always_touches = true;  // false: a row that is there is left alone, there is nothing to set
};

// Makes an INSERT idempotent. A column that cannot be set must have its value already; else no row
// is touched.
Upsert upsert_by_key(const RowMapping& mapping) {
  if (!mapping.keyed()) {
    return {};
  }
  std::vector<std::string> keys;
  std::vector<std::string> sets;
  std::vector<std::string> fixed;
  std::string settable_key;
  for (const MappedColumn& column : mapping.columns) {
    if (column.key) {
      keys.push_back(column.name);
      settable_key = column.identity_always ? settable_key : column.name;
    } else if (column.written && column.identity_always) {
      fixed.push_back(equal_to(column, "excluded." + column.name));
    } else if (column.written) {
      sets.push_back(fmt::format("{0} = excluded.{0}", column.name));
    }
  }
  if (sets.empty() && !settable_key.empty()) {
    sets.push_back(fmt::format("{0} = excluded.{0}", settable_key));
  }
  return {fmt::format(" on conflict ({}) do {}{}{}", joined(keys, ", "),
                      sets.empty() ? "nothing" : "update set " + joined(sets, ", "),
                      fixed.empty() || sets.empty() ? "" : " where ", joined(fixed, " and ")),
          !sets.empty()};
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
    if (shape.known[i] && is_set(column, shape.moves(i))) {
      sets.push_back(fmt::format("{} = {}", column.name, parameters.use(false, i)));
    }
  }
  return sets;
}

std::string fixed_values(const RowMapping& mapping, const UpdateShape& shape,
                         Parameters& parameters) {
  std::string conditions;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const MappedColumn& column = mapping.columns[i];
    if (shape.known[i] && is_fixed(column)) {
      conditions += " and " + equals(column, parameters, false, i);
    }
  }
  return conditions;
}

// For a row that is not there, its key as it is from now on. A key column that was left alone
// stands in the old row. One that is there and was not touched was swallowed, and not done for.
std::string queue_for_refetch(const RowMapping& mapping, const UpdateShape& shape,
                              Parameters& parameters) {
  std::vector<std::string> key;
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    if (mapping.columns[i].key) {
      key.push_back(parameters.use_as_printed(!shape.known[i], i));
    }
  }
  return fmt::format(
      "insert into repld.refetch (link, schema_name, table_name, columns, key, digest) "
      "select k.*, sha256(textsend(array[columns::text, key::text]::text)) "
      "from (values ({}, array[{}])) k (link, schema_name, table_name, columns, key) "
      "where not exists (select from {} r where {}) "
      "on conflict (link, schema_name, table_name, digest) do update set id = default returning 1",
      mapping.refetch, joined(key, ", "), only(mapping), match(mapping, parameters, shape.old_row));
}

bool moves_identity(const RowMapping& mapping, const UpdateShape& shape) {
  for (size_t i = 0; i < mapping.columns.size(); ++i) {
    const MappedColumn& column = mapping.columns[i];
    if (column.key && column.identity_always && shape.moves(i)) {
      return true;
    }
  }
  return false;
}

// Puts the row of CTE `gone` back as it is from now on, with what it had in the columns that are
// left alone and in those that the source has not.
std::string put_back(const RowMapping& mapping, const UpdateShape& shape, Parameters& parameters) {
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (const size_t i : written_columns(mapping)) {
    const std::string& name = mapping.columns[i].name;
    names.push_back(name);
    values.push_back(shape.known[i] ? parameters.use(false, i) : "gone." + name);
  }
  for (const std::string& name : mapping.others) {
    names.push_back(name);
    values.push_back("gone." + name);
  }
  return fmt::format(
      "insert into {} as r ({}) overriding system value select {} from gone "
      "returning 1",
      mapping.target, joined(names, ", "), joined(values, ", "));
}

// CTEs, of which the last, `name`, has a row when the UPDATE found its own.
//
// No UPDATE can set what the target generates as identity, so a row that gets a new one is deleted
// and inserted again, which is told from the other UPDATEs by the value it has.
std::string touched_rows(const RowMapping& mapping, const UpdateShape& shape,
                         Parameters& parameters, const std::string& name) {
  const RowSource source = row_source(mapping, parameters, shape.old_row);
  const bool moved = moves_identity(mapping, shape);
  const std::vector<std::string> sets =
      moved ? std::vector<std::string>() : set_list(mapping, shape, parameters);
  const std::string fixed = fixed_values(mapping, shape, parameters);
  const std::string update =
      sets.empty() ? ""
                   : fmt::format("update {} r set {}{}{} where {}{} returning 1", only(mapping),
                                 joined(sets, ", "), source.from.empty() ? "" : " from ",
                                 source.from, source.where, fixed);
  if (!moved && fixed.empty()) {
    return sets.empty() ? fmt::format("{} as (select 1 from {} r where {})", name, only(mapping),
                                      match(mapping, parameters, shape.old_row))
                        : fmt::format("{}{} as ({})", source.with, name, update);
  }
  const std::string look =
      fmt::format("select 1 from {} r{}{} where {}{}", only(mapping),
                  source.from.empty() ? "" : ", ", source.from, source.where, fixed);
  const std::string same = fmt::format("same as ({}), ", sets.empty() ? look : update);
  const std::string gone =
      fmt::format("gone as (delete from {} r{}{} where {}{} returning r.*), ", only(mapping),
                  source.from.empty() ? "" : " using ", source.from, source.where,
                  moved ? "" : " and not exists (select from same)");
  return fmt::format("{}{}{}put as ({}), {} as ({}select 1 from put)", source.with,
                     moved ? "" : same, gone, put_back(mapping, shape, parameters), name,
                     moved ? "" : "select 1 from same union all ");
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

Statement insert_statement(const RowMapping& mapping, Strictness strictness) {
  Parameters parameters(mapping);
  const std::vector<size_t> columns = written_columns(mapping);
  const std::string insert =
      fmt::format("{} values ({})", insert_into(mapping, columns), new_values(columns, parameters));
  std::string sql;
  if (strictness == Strictness::exact) {
    sql = fmt::format("with done as ({} returning 1) {}", insert, kExactlyOne);
  } else if (!mapping.keyed()) {
    sql = fmt::format("with done as ({} returning 1) select 0, 1 / count(*) from done", insert);
  } else {
    const Upsert upsert = upsert_by_key(mapping);
    sql = fmt::format(
        "with found as (select 1 from {} r where {}), done as ({}{} returning 1) "
        "select (select count(*) from found), 1 / ((select count(*) from done){})",
        only(mapping), match(mapping, parameters, false), insert, upsert.clause,
        upsert.always_touches ? "" : " + (select count(*) from found)");
  }
  return {std::move(sql), parameters.take()};
}

Statement update_statement(const RowMapping& mapping, const UpdateShape& shape,
                           Strictness strictness) {
  Parameters parameters(mapping);
  const bool whole = all_known(mapping, shape);
  const bool exact = strictness == Strictness::exact || (!whole && !mapping.keyed());
  const std::string touched = touched_rows(mapping, shape, parameters, exact ? "done" : "found");
  if (exact) {
    return {fmt::format("with {} {}", touched, kExactlyOne), parameters.take()};
  }
  std::string done;
  if (whole) {
    const std::vector<size_t> columns = written_columns(mapping);
    done = fmt::format("{} select {} where not exists (select from found){} returning 1",
                       insert_into(mapping, columns), new_values(columns, parameters),
                       upsert_by_key(mapping).clause);
  } else {
    done = queue_for_refetch(mapping, shape, parameters);
  }
  return {fmt::format("with {}, done as ({}) select (select count(*) from found), "
                      "1 / ((select count(*) from found) + (select count(*) from done))",
                      touched, done),
          parameters.take()};
}

Statement delete_statement(const RowMapping& mapping, Strictness strictness) {
  Parameters parameters(mapping);
  const RowSource source = row_source(mapping, parameters, true);
  const std::string done =
      fmt::format("delete from {} r{}{} where {} returning 1", only(mapping),
                  source.from.empty() ? "" : " using ", source.from, source.where);
  std::string sql;
  if (strictness == Strictness::exact) {
    sql = fmt::format("with {}done as ({}) {}", source.with, done, kExactlyOne);
  } else {
    const std::string found = mapping.keyed()
                                  ? fmt::format("select 1 from {} r where {}", only(mapping),
                                                match(mapping, parameters, true))
                                  : "select 1 from one";
    sql = fmt::format(
        "with {}found as ({}), done as ({}) select (select count(*) from found), "
        "1 / (1 - (select count(*) from found) + (select count(*) from done))",
        source.with, found, done);
  }
  return {std::move(sql), parameters.take()};
}

std::string truncate_statement(const std::vector<std::string>& targets, bool restart_identity) {
  return fmt::format("truncate {}{}", joined(targets, ", "),
                     restart_identity ? " restart identity" : "");
}

}  // namespace repld
