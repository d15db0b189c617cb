// Target tables for the tests of the SQL that applies changes.
#pragma once

#include <string>
#include <vector>

#include "core/apply_sql.h"

namespace repld::testing {

inline MappedColumn column(const std::string& name, const std::string& type) {
  MappedColumn made;
  made.name = "\"" + name + "\"";
  made.type = type;
  made.equality = "operator(pg_catalog.=)";
  return made;
}

inline MappedColumn key_column(const std::string& name, const std::string& type) {
  MappedColumn made = column(name, type);
  made.key = true;
  return made;
}

inline MappedColumn generated(MappedColumn made) {
  made.written = false;
  return made;
}

inline MappedColumn always_identity(MappedColumn made) {
  made.identity_always = true;
  return made;
}

// A type that no operator compares, like json.
inline MappedColumn incomparable(MappedColumn made) {
  made.equality.clear();
  return made;
}

inline RowMapping table_of(std::vector<MappedColumn> columns) {
  RowMapping mapping;
  mapping.target = "\"s\".\"t\"";
  mapping.refetch = "'l', 's', 't', array['id']";
  mapping.columns = std::move(columns);
  return mapping;
}

// t (id int primary key, a text)
inline RowMapping keyed() { return table_of({key_column("id", "int"), column("a", "text")}); }

// t (a text, j json)
inline RowMapping keyless() {
  return table_of({column("a", "text"), incomparable(column("j", "json"))});
}

inline RowMapping partitioned(RowMapping mapping) {
  mapping.partitioned = true;
  return mapping;
}

// "new 0, old 1": what $1, $2 .. stand for.
inline std::string shown(const std::vector<Statement::Parameter>& parameters) {
  std::string text;
  for (const Statement::Parameter& parameter : parameters) {
    text += text.empty() ? "" : ", ";
    text += (parameter.old_row ? "old " : "new ") + std::to_string(parameter.column);
    text += parameter.as_printed ? " as printed" : "";
  }
  return text;
}

}  // namespace repld::testing
