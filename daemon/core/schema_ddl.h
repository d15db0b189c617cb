// DDL for the parts of a schema, and its order.
#pragma once

#include <string>
#include <vector>

#include "core/finding.h"
#include "core/schema.h"

namespace repld::schema {

// What must stand before what. Functions come after the types of their arguments and before the
// tables whose defaults call them; their bodies are not looked into at creation.
enum class Phase {
  schema,
  extension,
  type,
  function,
  sequence,
  table,
  column,
  sequence_owner,
  constraint,
  index,
  trigger,
  row_security,
  foreign_key,
};

struct Statement {
  Phase phase = Phase::table;
  std::string sql;  // without a semicolon
  // What it does to those who use the target meanwhile and afterwards; empty: nothing.
  std::string effect = {};
};

// A difference between the sides and the statements that end it.
struct Change {
  Finding finding;
  std::vector<Statement> statements;
  bool in_script = true;  // false: removes something, so a person decides
};

std::string quoted(const TableName& name);

std::string column_clause(const Column& column);
// "alter table [only] NAME". A default set on a root must not reach partitions with their own.
std::string alter_only(const Table& table);
std::vector<Statement> create_table(const Database& source, const Table& table);
std::string create_index(const Index& index);
Statement add_constraint(const Table& table, const Constraint& constraint);
std::vector<Statement> create_trigger(const Table& table, const Trigger& trigger);
std::vector<Statement> create_sequence(const Sequence& sequence);
// Statements that give a column the expression and identity that it should have.
std::vector<std::string> set_expression(const Table& table, const Column& column);

// Statements as text for a person, in order.
std::string text_of(std::vector<Statement> statements);
// All of them as one transaction for psql; empty when there is nothing to do.
std::string script_of(const std::vector<Change>& changes);

}  // namespace repld::schema
