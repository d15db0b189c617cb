#include "core/schema_ddl.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/sql_text.h"

namespace repld::schema {

namespace {

void sort_by_phase(std::vector<Statement>& statements) {
  std::stable_sort(
      statements.begin(), statements.end(),
      [](const Statement& left, const Statement& right) { return left.phase < right.phase; });
}

// What a partition would get from its parent, so that only what differs is set.
void adjust_inherited(const Database& source, const Table& table,
                      std::vector<Statement>& statements) {
  std::vector<TableName> parents = table.inherits;
  if (table.parent) {
    parents.push_back(*table.parent);
  }
  for (const TableName& name : parents) {
    const Table* parent = source.find_table(name);
    for (const Column& column : table.columns) {
      const Column* inherited = parent == nullptr ? nullptr : parent->find_column(column.name);
      const bool ours = table.parent.has_value() || !column.local;
      if (inherited == nullptr || !ours || !column.generated.empty() || !column.identity.empty() ||
          !inherited->identity.empty()) {
        continue;
      }
      if (inherited->expression != column.expression) {
        for (const std::string& sql : set_expression(table, column)) {
          statements.push_back({Phase::column, sql});
        }
      }
      if (column.not_null && !inherited->not_null) {
        statements.push_back(
            {Phase::column, fmt::format("{} alter column {} set not null", alter_only(table),
                                        quote_identifier(column.name))});
      }
    }
  }
}

// Nothing may use a new label in the transaction that adds it, not even as a default.
bool adds_label(const Statement& statement) {
  return statement.sql.rfind("alter type ", 0) == 0 &&
         statement.sql.find(" add value ") != std::string::npos;
}

}  // namespace

std::string quoted(const TableName& name) { return quote_qualified(name.schema, name.name); }

std::string column_clause(const Column& column) {
  std::string clause = fmt::format("{} {}", quote_identifier(column.name), column.type);
  if (!column.collation.empty()) {
    clause += " collate " + column.collation;
  }
  if (!column.generated.empty()) {
    // Virtual columns exist since 18 only, and are computed from the same values.
    clause += fmt::format(" generated always as ({}) stored", column.expression);
  } else if (!column.identity.empty()) {
    clause +=
        fmt::format(" generated {} as identity ({})",
                    column.identity == "a" ? "always" : "by default", column.identity_options);
  } else if (!column.expression.empty()) {
    clause += " default " + column.expression;
  }
  return column.not_null ? clause + " not null" : clause;
}

std::string alter_only(const Table& table) {
  return fmt::format("alter table only {}", quoted(table.name));
}

std::vector<std::string> set_expression(const Table& table, const Column& column) {
  const std::string alter =
      fmt::format("{} alter column {}", alter_only(table), quote_identifier(column.name));
  std::vector<std::string> statements;
  if (column.expression.empty() || !column.identity.empty()) {
    statements.push_back(alter + " drop default");
  } else {
    statements.push_back(alter + " set default " + column.expression);
  }
  if (!column.identity.empty()) {
    statements.push_back(fmt::format("{} add generated {} as identity ({})", alter,
                                     column.identity == "a" ? "always" : "by default",
                                     column.identity_options));
  }
  return statements;
}

std::vector<Statement> create_table(const Database& source, const Table& table) {
  std::string sql = "create table " + quoted(table.name);
  if (table.parent) {
    sql += fmt::format(" partition of {} {}", quoted(*table.parent), table.bounds);
  } else {
    std::vector<std::string> clauses;
    for (const Column& column : table.columns) {
      if (column.local) {
        clauses.push_back("  " + column_clause(column));
      }
    }
    sql += fmt::format(" (\n{}\n)", fmt::join(clauses, ",\n"));
    std::vector<std::string> parents;
    for (const TableName& parent : table.inherits) {
      parents.push_back(quoted(parent));
    }
    if (!parents.empty()) {
      sql += fmt::format(" inherits ({})", fmt::join(parents, ", "));
    }
  }
  if (table.partitioned()) {
    sql += " partition by " + table.partition_key;
  }
  std::vector<Statement> statements = {{Phase::table, sql}};
  adjust_inherited(source, table, statements);
  bool has_key = table.parent.has_value() || table.partitioned();
  for (const Constraint& constraint : table.constraints) {
    has_key = has_key || constraint.kind == 'p';
    if (constraint.kind != 'f') {
      statements.push_back(add_constraint(table, constraint));
    }
  }
  if (!has_key) {
    statements.push_back({Phase::constraint,
                          fmt::format("alter table {} replica identity full", quoted(table.name))});
  }
  for (const Index& index : table.indexes) {
    if (!index.of_constraint) {
      statements.push_back({Phase::index, create_index(index)});
    }
  }
  for (const Trigger& trigger : table.triggers) {
    for (Statement& statement : create_trigger(table, trigger)) {
      statements.push_back(std::move(statement));
    }
  }
  if (table.row_security) {
    statements.push_back(
        {Phase::row_security,
         fmt::format("alter table {} enable row level security", quoted(table.name))});
  }
  for (const Policy& policy : table.policies) {
    statements.push_back({Phase::row_security, policy.definition});
  }
  return statements;
}

std::string create_index(const Index& index) {
  // On a partitioned table it is to reach the partitions as well.
  const std::string only = " ON ONLY ";
  const size_t at = index.definition.find(only);
  return at == std::string::npos ? index.definition
                                 : std::string(index.definition).replace(at, only.size(), " ON ");
}

Statement add_constraint(const Table& table, const Constraint& constraint) {
  return {constraint.kind == 'f' ? Phase::foreign_key : Phase::constraint,
          fmt::format("alter table {} add constraint {} {}", quoted(table.name),
                      quote_identifier(constraint.name), constraint.definition)};
}

std::vector<Statement> create_trigger(const Table& table, const Trigger& trigger) {
  std::vector<Statement> statements = {{Phase::trigger, trigger.definition}};
  if (!trigger.enabled) {
    statements.push_back(
        {Phase::trigger, fmt::format("alter table {} disable trigger {}", quoted(table.name),
                                     quote_identifier(trigger.name))});
  }
  return statements;
}

std::vector<Statement> create_sequence(const Sequence& sequence) {
  std::vector<Statement> statements = {
      {Phase::sequence,
       fmt::format("create sequence {} {}", quoted(sequence.name), sequence.options)}};
  if (!sequence.owner_column.empty()) {
    statements.push_back(
        {Phase::sequence_owner,
         fmt::format("alter sequence {} owned by {}.{}", quoted(sequence.name),
                     quoted(sequence.owner), quote_identifier(sequence.owner_column))});
  }
  return statements;
}

std::string text_of(std::vector<Statement> statements) {
  sort_by_phase(statements);
  std::string text;
  for (const Statement& statement : statements) {
    text += (text.empty() ? "" : "\n") + statement.sql + ";";
  }
  return text;
}

std::string script_of(const std::vector<Change>& changes) {
  std::vector<Statement> statements;
  std::string labels;
  std::set<std::string> seen;
  for (const Change& change : changes) {
    for (const Statement& statement : change.statements) {
      if (!change.in_script || !seen.insert(statement.sql).second) {
        continue;
      }
      if (adds_label(statement)) {
        labels += statement.sql + ";\n";
      } else {
        statements.push_back(statement);
      }
    }
  }
  if (!labels.empty()) {
    labels = "begin;\n" + labels + "commit;\n";
  }
  if (statements.empty()) {
    return labels;
  }
  return labels +
         "begin;\nset local search_path = '';\nset local check_function_bodies = off;\n"
         "set local timezone = 'UTC';\nset local standard_conforming_strings = on;\n" +
         text_of(std::move(statements)) + "\ncommit;\n";
}

}  // namespace repld::schema
